package notice

import (
	"net"
	"net/netip"
)

// nowhere are networks that no institution's system is in, whatever the operator allows: metadata services of clouds stand in some of
// them and hand out the machine's credentials, the others carry an address inside an address or belong to nobody.
var nowhere = []netip.Prefix{ //nolint:gochecknoglobals // a constant table
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("fd00:ec2::/32"),
}

// reachable says whether a webhook may call an address; own are the addresses of this machine. With inside it may call this machine
// and private networks, where receivers beside the service are.
func reachable(ip netip.Addr, inside bool, own []net.Addr) bool {
	ip = ip.Unmap()
	switch {
	case !ip.IsValid(), ip.Zone() != "", ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast():
		return false
	case ip.IsLoopback():
		return inside
	}
	for _, p := range nowhere {
		if p.Contains(ip) {
			return false
		}
	}
	if inside {
		return true
	}
	for _, a := range own {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip.AsSlice()) {
			return false
		}
	}
	return !ip.IsPrivate()
}
