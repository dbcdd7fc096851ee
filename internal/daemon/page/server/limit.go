package server

import (
	"net"
	"sync"
)

// limited lets only so many connections be open at once. The next ones wait in
// the kernel's queue.
type limited struct {
	net.Listener
	slots chan struct{}
	end   chan struct{} // closed with the listener
	once  sync.Once
}

func limit(l net.Listener, connections int) *limited {
	return &limited{Listener: l, slots: make(chan struct{}, connections), end: make(chan struct{})}
}

// Accept waits for a slot, then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.end:
		return nil, net.ErrClosed
	}
	connection, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &counted{Conn: connection, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

// Close ends the listener, also for whoever waits for a slot.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.end) })
	return l.Listener.Close()
}

// counted gives its slot back when it is closed.
type counted struct {
	net.Conn
	free func()
}

// Close closes the connection.
func (c *counted) Close() error {
	defer c.free()
	return c.Conn.Close()
}
