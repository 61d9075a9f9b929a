"""Communication with a controller: its login session, event stream and snapshots."""
