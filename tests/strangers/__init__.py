"""Other clients of UniFi controllers, which judge the simulated one."""
