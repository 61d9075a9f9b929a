"""Full device records of `stat/device` and `device:sync`, which are large and contain secrets."""

from .models import Band, Device, Json, Wlan, object_id
from .records import PLANTED_SECRETS, device_basic_record
from .world import World

ANOMALIES = (
    "high_dns_latency",
    "high_tcp_latency",
    "high_tcp_packet_loss",
    "high_wifi_latency",
    "high_wifi_retries",
    "low_phy_rate",
    "poor_stream_eff",
    "sleepy_client",
    "sta_arp_timeout",
    "sta_dns_timeout",
    "sta_ip_timeout",
    "weak_signal",
)
STATISTICS = (
    "bytes",
    "mac_filter_rejections",
    "rx_bytes",
    "rx_crypts",
    "rx_dropped",
    "rx_errors",
    "rx_frags",
    "rx_packets",
    "tx_bytes",
    "tx_dropped",
    "tx_errors",
    "tx_packets",
    "tx_retries",
    "wifi_tx_attempts",
    "wifi_tx_dropped",
)


def device_record(device: Device, world: World) -> Json:
    """Build the full record of a device with its secrets, over 8 KB (docs/protocol.md 5)."""
    now = int(world.clock())
    record = device_basic_record(device)
    record |= {
        "_id": object_id("device", device.mac),
        "device_id": object_id("device", device.mac),
        "site_id": world.site.id,
        "ip": device.ip,
        "serial": device.mac.replace(":", "").upper(),
        "version": "6.6.77.15402",
        "architecture": "aarch64",
        "board_rev": 12,
        "cfgversion": object_id("cfg", device.mac)[:16],
        "known_cfgversion": object_id("cfg", device.mac)[:16],
        "config_network": {"type": "dhcp", "ip": device.ip},
        "connect_request_ip": device.ip,
        "connect_request_port": "48591",
        "inform_ip": "10.0.0.1",
        "inform_url": "http://10.0.0.1:8080/inform",
        "last_seen": now,
        "considered_lost_at": now + 111,
        "next_heartbeat_at": now + 37,
        "next_interval": 27,
        "_uptime": 3_971_849,
        "uptime": 3_971_849,
        "start_connected_millis": (now - 3_971_849) * 1000,
        "adoptable_when_upgraded": False,
        "upgradable": False,
        "unsupported": False,
        "unsupported_reason": 0,
        "led_override": "default",
        "outdoor_mode_override": "default",
        "isolated": False,
        "locating": False,
        "scanning": False,
        "spectrum_scanning": False,
        "license_state": "registered",
        "country_code": 276,
        "countrycode_table": [],
        "satisfaction": 98,
        "ethernet_table": [{"mac": device.mac, "name": "eth0", "num_port": 1}],
        "antenna_table": [
            {"id": -1, "name": "Combined", "default": True, "wifi0_gain": 4, "wifi1_gain": 6}
        ],
        "port_table": [_port(index) for index in (1, 2)],
        "uplink": _uplink(device),
        "sys_stats": {
            "loadavg_1": "0.15",
            "loadavg_5": "0.08",
            "loadavg_15": "0.02",
            "mem_buffer": 0,
            "mem_total": 512_622_592,
            "mem_used": 263_606_784,
        },
        "system-stats": {"cpu": "3.1", "mem": "27.4", "uptime": "3971849"},
        "stat": {"ap": _statistics(device, now)},
        "bytes": 202_573_081_705,
        "bytes-r": 178_137,
        **PLANTED_SECRETS,
    }
    if device.radios:
        record |= _radio_tables(device, world)
    return record


def _radio_tables(device: Device, world: World) -> Json:
    here = [c for c in world.online() if c.link is not None and c.link.ap == device.mac]
    guests = sum(client.is_guest for client in here)
    per_band = {
        band: sum(c.link is not None and c.link.band is band for c in here)
        for band in device.radios
    }
    return {
        "num_sta": len(here),
        "user-num_sta": len(here) - guests,
        "guest-num_sta": guests,
        "radio_table": [_radio(band, channel) for band, channel in device.radios.items()],
        "radio_table_stats": [
            _radio_statistics(band, channel, per_band[band])
            for band, channel in device.radios.items()
        ],
        "vap_table": [
            _vap(device, band, channel, wlan, per_band[band])
            for band, channel in device.radios.items()
            for wlan in world.wlans.values()
        ],
        "scan_radio_table": [],
        "vwire_table": [],
        "vwireEnabled": False,
    }


def _radio(band: Band, channel: int) -> Json:
    return {
        "radio": band.value,
        "name": band.radio_name,
        "channel": channel,
        "ht": str(band.width),
        "tx_power_mode": "auto",
        "min_txpower": 6,
        "max_txpower": 22,
        "antenna_gain": 6,
        "builtin_antenna": True,
        "builtin_ant_gain": 3,
        "nss": 4,
        "min_rssi_enabled": False,
        "sens_level_enabled": False,
    }


def _radio_statistics(band: Band, channel: int, stations: int) -> Json:
    return {
        "radio": band.value,
        "name": band.radio_name,
        "channel": channel,
        "state": "RUN",
        "num_sta": stations,
        "user-num_sta": stations,
        "guest-num_sta": 0,
        "cu_total": 21,
        "cu_self_rx": 1,
        "cu_self_tx": 1,
        "gain": 3,
        "extchannel": 1,
        "satisfaction": 97,
        "tx_power": 17,
        "tx_packets": 2902,
        "tx_retries": 121,
    }


def _vap(device: Device, band: Band, channel: int, wlan: Wlan, stations: int) -> Json:
    return {
        "ap_mac": device.mac,
        "bssid": device.bssid(band, wlan.ssid),
        "essid": wlan.ssid,
        "channel": channel,
        "radio": band.value,
        "radio_name": band.radio_name,
        "name": f"ath{len(wlan.ssid)}",
        "id": wlan.id,
        "wlanconf_id": wlan.id,
        "is_guest": wlan.guest,
        "is_wep": False,
        "usage": "guest" if wlan.guest else "user",
        "t": "vap",
        "state": "RUN",
        "up": True,
        "num_sta": stations,
        "avg_client_signal": -60,
        "ccq": 340,
        "satisfaction": 97,
        "tx_power": 17,
        "tx_bytes": 2_122_358_914,
        "rx_bytes": 2_772_787_976,
        "tx_packets": 1_282_805_591,
        "rx_packets": 253_573_604,
        "anomalies_bar_chart": dict.fromkeys(ANOMALIES, 0),
        "anomalies_bar_chart_now": dict.fromkeys(ANOMALIES, 0),
        "rx_tcp_stats": {"goodbytes": 16_307_156_809, "lat_avg": 26, "stalls": 0},
        "tx_tcp_stats": {"goodbytes": 298_206_899, "lat_avg": 21, "stalls": 0},
    }


def _statistics(device: Device, now: int) -> Json:
    row: Json = {"ap": device.mac, "o": "ap", "oid": device.mac, "time": now * 1000}
    for scope in ("", "user-", "guest-", "user-wifi0-", "user-wifi1-", "wifi0-", "wifi1-"):
        row |= {f"{scope}{name}": float(1000 + len(scope + name)) for name in STATISTICS}
    return row


def _port(index: int) -> Json:
    return {
        "port_idx": index,
        "name": f"Port {index}",
        "media": "GE",
        "up": index == 1,
        "enable": True,
        "autoneg": True,
        "full_duplex": index == 1,
        "is_uplink": False,
        "op_mode": "switch",
        "port_poe": False,
        "poe_caps": 0,
        "portconf_id": object_id("port", str(index)),
        "speed": 1000 if index == 1 else 0,
        "stp_state": "forwarding" if index == 1 else "disabled",
        "rx_bytes": 2_275_836_363_755,
        "tx_bytes": 53_516_753_422,
        "rx_packets": 1_574_257_888,
        "tx_packets": 333_052_121,
        "rx_errors": 0,
        "tx_errors": 0,
        "mac_table": [],
    }


def _uplink(device: Device) -> Json:
    return {
        "type": "wire",
        "up": True,
        "name": "eth0",
        "mac": device.mac,
        "ip": "0.0.0.0",  # noqa: S104 - a record's value, nothing is bound
        "netmask": "0.0.0.0",  # noqa: S104 - a record's value, nothing is bound
        "speed": 1000,
        "max_speed": 1000,
        "full_duplex": True,
        "num_port": 1,
        "uplink_mac": "78:45:58:00:00:02",
        "uplink_remote_port": 6,
        "rx_bytes": 1_755_202_154,
        "tx_bytes": 537_697_796,
    }
