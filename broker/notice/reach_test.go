package notice

import (
	"net"
	"net/netip"
	"testing"
)

// A webhook's address is somebody's wish: it reaches no service of metadata, nothing that wraps an address into another, and, where the
// operator did not say so, nothing of the house.
func TestReachable(t *testing.T) {
	t.Parallel()
	own := []net.Addr{&net.IPNet{IP: net.ParseIP("203.0.113.7"), Mask: net.CIDRMask(24, 32)}}
	for where, want := range map[string]struct{ outside, inside bool }{
		"198.51.100.9": {true, true}, "2400:3200::1": {true, true}, "8.8.8.8": {true, true}, "::ffff:8.8.8.8": {true, true},
		"127.0.0.1": {false, true}, "127.8.8.8": {false, true}, "::1": {false, true}, "::ffff:127.0.0.1": {false, true},
		"10.0.0.1": {false, true}, "172.16.9.9": {false, true}, "192.168.1.1": {false, true}, "fd12::1": {false, true}, "::ffff:10.0.0.1": {false, true},
		"203.0.113.7": {false, true}, // this machine by its other name
		"0.0.0.0":     {}, "::": {}, "0.1.2.3": {}, "169.254.169.254": {}, "fe80::1": {}, "fe80::1%eth0": {}, "::ffff:169.254.169.254": {},
		"100.100.100.200": {}, "192.0.0.192": {}, "fd00:ec2::254": {}, "64:ff9b::a9fe:a9fe": {}, "2002:a9fe:a9fe::1": {}, "2001:0:a9fe:a9fe::1": {}, "::169.254.169.254": {},
		"224.0.0.1": {}, "ff02::1": {}, "255.255.255.255": {}, "240.0.0.1": {}, "198.18.0.1": {}, "fec0::1": {},
	} {
		ip := netip.MustParseAddr(where)
		if got := reachable(ip, false, own); got != want.outside {
			t.Errorf("%s from outside: %v", where, got)
		}
		if got := reachable(ip, true, own); got != want.inside {
			t.Errorf("%s with inside: %v", where, got)
		}
	}
	if reachable(netip.Addr{}, true, nil) {
		t.Error("no address at all")
	}
}
