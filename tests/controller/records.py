"""Client and device records with the field names and types of docs/protocol.md."""

from .models import RSSI_OFFSET, Band, Client, Device, Json, Wlan, object_id
from .world import World

# Fake values of the secrets in real device records (docs/protocol.md 3.1). Tests search for them
# where no secret may appear, so each one is long and unique.
PLANTED_SECRETS = {
    "x_authkey": "planted-authkey-2f1c7a90d4",
    "x_vwirekey": "planted-vwirekey-8be3310c55",
    "x_aes_gcm": "planted-aesgcm-71aa02ce9d",
    "x_fingerprint": "planted-fingerprint-19c4e7",
    "x_inform_authkey": "planted-informkey-5d20bb",
    "x_ssh_hostkey_fingerprint": "planted-hostkey-a7716e",
    "syslog_key": "planted-syslogkey-44d0f1",
    "guest_token": "planted-guesttoken-9302ac",
}
WLAN_SECRETS = {
    "x_passphrase": "planted-passphrase-c30f7e81",
    "x_iapp_key": "planted-iappkey-0b77d2a94e",
}
SYSINFO_SECRETS = {"sso_app_sec": "planted-ssoappsec-6ee1d8", "sso_app_id": "planted-ssoappid-1b"}
NOISE_FLOOR = {Band.NG: -92, Band.NA: -96, Band.SIX: -97}


def client_id(client: Client) -> str:
    """Return the `_id` and `user_id` of a client's records."""
    return object_id("user", client.mac)


def station_record(client: Client, world: World) -> Json:
    """Build a record of `stat/sta` and `sta:sync`, with POSIX seconds (docs/protocol.md 3.3)."""
    now = int(world.clock())
    record: Json = {
        "site_id": world.site.id,
        "assoc_time": int(client.assoc_time),
        "latest_assoc_time": int(client.latest_assoc_time),
        "oui": client.oui,
        "user_id": client_id(client),
        "_id": client_id(client),
        "mac": client.mac,
        "is_guest": client.is_guest,
        "first_seen": int(client.first_seen),
        "last_seen": int(client.last_seen),
        "is_wired": client.is_wired,
        "usergroup_id": "",
        "network": "Default",
        "network_id": object_id("network", world.site.name),
        "uptime": max(0, int(client.last_seen - client.assoc_time)),
        "anomalies": 0,
        "satisfaction": 100,
        "qos_policy_applied": True,
        "authorized": client.authorized,
        "vlan": 0,
    }
    if client.ip is not None:
        record |= {"ip": client.ip, "last_ip": client.ip}
    if client.hostname is not None:
        record |= {"hostname": client.hostname, "hostname_source": "uap"}
    if client.name is not None:
        record |= {"name": client.name, "noted": True}
    if client.disconnected_at:
        record["disconnect_timestamp"] = int(client.disconnected_at)
    record |= _wired(client, world) if client.is_wired else _wireless(client, world, now)
    return _adjusted(record, client)


def _wired(client: Client, world: World) -> Json:
    switch = next((d for d in world.devices.values() if d.type == "usw"), None)
    seen, up = int(client.last_seen), max(0, int(client.last_seen - client.assoc_time))
    return {
        "sw_mac": switch.mac if switch else "78:45:58:00:00:02",
        "sw_port": 3,
        "sw_depth": 0,
        "_uptime_by_usw": up,
        "_last_seen_by_usw": seen,
        "_is_guest_by_usw": client.is_guest,
        "wired-tx_bytes": up * 900,
        "wired-rx_bytes": up * 300,
        "wired-tx_packets": up * 3,
        "wired-rx_packets": up * 2,
        "wired_rate_mbps": 1000,
    }


def _wireless(client: Client, world: World, now: int) -> Json:
    # Tests list a client without a link to get a record without an access point.
    if (link := client.link) is None or (device := world.devices.get(link.ap)) is None:
        return {}
    up = max(0, int(client.last_seen - client.assoc_time))
    record: Json = {
        "ap_mac": link.ap,
        "bssid": device.bssid(link.band, client.ssid),
        "essid": client.ssid,
        "wlanconf_id": object_id("wlan", client.ssid),
        "channel": link.channel,
        "channelWidth": link.band.width,
        "channel_width": link.band.width,
        "radio": link.band.value,
        "radio_name": link.band.radio_name,
        "radio_proto": link.band.protocol,
        "signal": link.signal,
        "rssi": link.signal + RSSI_OFFSET,
        "noise": NOISE_FLOOR[link.band],
        "ccq": 0,
        "nss": 2,
        "is_mlo": False,
        "is_11r": False,
        "powersave_enabled": True,
        "idletime": max(0, now - int(client.last_seen)),
        "dhcpend_time": 0,
        "tx_power": 0,
        "tx_rate": 270_000,
        "rx_rate": 150_000,
        "tx_bytes": up * 4_000,
        "rx_bytes": up * 1_000,
        "tx_packets": up * 12,
        "rx_packets": up * 8,
        "tx_retries": up // 10,
        "wifi_tx_attempts": up * 13,
        "bytes-r": 27.25,
        "tx_bytes-r": 20.75,
        "rx_bytes-r": 6.5,
        "last_radio": link.band.value,
        "last_uplink_mac": link.ap,
        "_uptime_by_uap": max(0, int(client.last_seen - client.latest_assoc_time)),
        "_last_seen_by_uap": int(client.last_seen),
        "_is_guest_by_uap": client.is_guest,
    }
    if device.name is not None:
        record["last_uplink_name"] = device.name
    if client.roam_count:
        record["roam_count"] = client.roam_count
    return record


def station_record_v2(client: Client, world: World) -> Json:
    """Build a record of `client:sync` and v2 `clients/active` (docs/protocol.md 3.4)."""
    old = station_record(client, world)
    dropped = {"_id", "user_id", "name", "channelWidth", "usergroup_id", "site_id", "roam_count"}
    record = {
        key: value
        for key, value in old.items()
        if key not in dropped and not key.startswith("_") and not key.startswith("wired-")
    }
    # Without an alias, the display name ends with the last two bytes of the MAC address.
    display = client.name or f"{client.hostname or client.oui} {client.mac[-5:]}".strip()
    record |= {
        "id": client.mac,
        "display_name": display,
        "type": "WIRED" if client.is_wired else "WIRELESS",
        "status": "online",
        "blocked": client.blocked,
        "noted": client.name is not None,
        "mimo": "MIMO_2",
        "fingerprint": {"has_override": False},
        "wifi_experience_score": 100,
        "local_dns_record_enabled": False,
    }
    if client.link is not None:
        record["uplink_mac"] = client.link.ap
    return _adjusted(record, client)


def user_record(client: Client, world: World) -> Json:
    """Build a record of `rest/user`, of a known client that may be away or blocked."""
    record: Json = {
        "_id": client_id(client),
        "mac": client.mac,
        "site_id": world.site.id,
        "oui": client.oui,
        "is_guest": client.is_guest,
        "first_seen": int(client.first_seen),
        "last_seen": int(client.last_seen),
        "is_wired": client.is_wired,
        "usergroup_id": "",
        "disconnect_timestamp": int(client.disconnected_at),
        "blocked": client.blocked,
    }
    if client.hostname is not None:
        record["hostname"] = client.hostname
    if client.name is not None:
        record |= {"name": client.name, "noted": True}
    return record


def wlan_record(wlan: Wlan, world: World) -> Json:
    """Build a record of `rest/wlanconf` with its secrets."""
    return {
        "_id": wlan.id,
        "site_id": world.site.id,
        "name": wlan.ssid,
        "enabled": True,
        "is_guest": wlan.guest,
        "hide_ssid": False,
        "security": "wpapsk",
        "wpa_mode": "wpa2",
        "wpa_enc": "ccmp",
        "wlan_bands": ["2g", "5g"],
        "mac_filter_enabled": False,
        "mac_filter_list": [],
        "mac_filter_policy": "allow",
        "schedule": [],
        "usergroup_id": object_id("usergroup", world.site.name),
        **WLAN_SECRETS,
    }


def health_records(world: World) -> list[Json]:
    """Build the records of `stat/health`, one for each part of the network."""
    wireless = [client for client in world.online() if not client.is_wired]
    guests = sum(client.is_guest for client in wireless)
    down = sum(device.state != 1 for device in world.access_points())
    return [
        {
            "subsystem": "wlan",
            "status": "ok" if not down else "error",
            "num_ap": len(world.access_points()),
            "num_adopted": len(world.access_points()),
            "num_disconnected": down,
            "num_disabled": 0,
            "num_pending": 0,
            "num_user": len(wireless) - guests,
            "num_guest": guests,
            "num_iot": 0,
            "tx_bytes-r": 27_000,
            "rx_bytes-r": 6_500,
        },
        {"subsystem": "wan", "status": "ok", "num_gw": 1, "wan_ip": "192.0.2.10"},
        {"subsystem": "www", "status": "ok", "latency": 9, "uptime": 371_849},
        {
            "subsystem": "lan",
            "status": "ok",
            "num_user": sum(client.is_wired for client in world.online()),
            "num_guest": 0,
            "num_sw": sum(device.type == "usw" for device in world.devices.values()),
        },
        {"subsystem": "vpn", "status": "unknown"},
    ]


def device_basic_record(device: Device) -> Json:
    """Build a record of `stat/device-basic`; an unnamed device has no `name`."""
    record: Json = {
        "mac": device.mac,
        "type": device.type,
        "model": device.model,
        "state": device.state,
        "adopted": True,
        "disabled": False,
    }
    if device.name is not None:
        record["name"] = device.name
    return record


def _adjusted(record: Json, client: Client) -> Json:
    return {k: v for k, v in (record | client.extra).items() if k not in client.without}
