package guess

import (
	"fmt"
	"testing"
	"time"
)

func TestTheMemoryOfFailuresIsBounded(t *testing.T) {
	var f Failures
	now := time.Now()
	from := func(i int) string { return fmt.Sprintf("10.%d.%d.1:80", i/256, i%256) }
	for i := range 5000 {
		f.Add(from(i), now)
	}
	if len(f.calm) > networks+1 {
		t.Errorf("%d networks are kept", len(f.calm))
	}
	if f.Wait(from(4999), now) <= 0 {
		t.Error("those without a place of their own are let through together")
	}
	if f.Wait(from(0), now) > 0 {
		t.Error("one that failed once has to wait")
	}
	f.Add(from(6000), now.Add(time.Hour*24))
	if len(f.calm) > 2 {
		t.Errorf("%d networks are kept after a day", len(f.calm))
	}
}

func TestNetworks(t *testing.T) {
	tests := []struct{ remote, want string }{
		{"192.0.2.1:80", "192.0.2.1/32"},
		{"[::ffff:192.0.2.1]:80", "192.0.2.1/32"},
		{"[2001:db8:1:2:3:4:5:6]:80", "2001:db8:1:2::/64"},
		{"[fe80::1%eth0]:80", "fe80::/64"},
		{"@", "invalid Prefix"},
		{"", "invalid Prefix"},
	}
	for _, test := range tests {
		if got := network(test.remote).String(); got != test.want {
			t.Errorf("%q is of %s, want %s", test.remote, got, test.want)
		}
	}
}

func TestWhoeverGuessesMostIsNotForgotten(t *testing.T) {
	var f Failures
	now := time.Now()
	for range Burst {
		f.Add("192.0.2.1:1", now)
	}
	for i := range 2 * networks {
		f.Add(fmt.Sprintf("[2001:db8:0:%x::1]:1", i), now)
	}
	if f.Wait("192.0.2.1:2", now) <= 0 {
		t.Error("others have pushed it out")
	}
	if f.Wait("192.0.2.1:2", now.Add(Regain)) > 0 {
		t.Error("it has to wait for ever")
	}
}
