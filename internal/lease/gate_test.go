package lease

import (
	"context"
	"errors"
	"testing"
)

// granted is a lease whose end a test decides.
type granted struct{ lost chan struct{} }

func (g granted) Check() error {
	select {
	case <-g.lost:
		return ErrLost
	default:
		return nil
	}
}
func (g granted) Lost() <-chan struct{}         { return g.lost }
func (g granted) Release(context.Context) error { return nil }

func TestAGateIsShutUnlessSomebodyOpensIt(t *testing.T) {
	var gate Gate
	if err := gate.Check(); !errors.Is(err, ErrClosed) {
		t.Errorf("at first: %v", err)
	}
	gate.Open(nil)
	if err := gate.Check(); err != nil || gate.Lost() != nil {
		t.Errorf("open to everybody: %v", err)
	}
	held := granted{make(chan struct{})}
	gate.Open(held)
	if err := gate.Check(); err != nil {
		t.Errorf("under a lease: %v", err)
	}
	close(held.lost)
	if err := gate.Check(); !errors.Is(err, ErrLost) {
		t.Errorf("once it is lost: %v", err)
	}
	<-gate.Lost()
	gate.Shut()
	if err := gate.Check(); !errors.Is(err, ErrClosed) {
		t.Errorf("shut again: %v", err)
	}
}
