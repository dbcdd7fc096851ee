package cluster

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between a keeper and etcd. It can let nothing through without a
// word, as a network does that has broken in the middle, and cut all
// connections, as one does that has broken nearby.
type proxy struct {
	listener net.Listener
	target   string

	mutex sync.Mutex
	stuck chan struct{} // nothing passes until it is closed; nil when everything does
	half  bool          // requests do
	some  chan struct{} // closed when something is held back
	conns map[net.Conn]bool
	done  chan struct{}
}

func through(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, conns: map[net.Conn]bool{}, done: make(chan struct{})}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		close(p.done)
		_ = listener.Close() // its end is what counts
		p.cut()
		group.Wait()
	})
	return p
}

func (p *proxy) endpoint() string { return "http://" + p.listener.Addr().String() }

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close() // as a closed port looks through a proxy
		return
	}
	p.mutex.Lock()
	p.conns[client], p.conns[server] = true, true
	p.mutex.Unlock()
	var group sync.WaitGroup
	group.Go(func() { p.copy(server, client, true) })
	group.Go(func() { p.copy(client, server, false) })
	group.Wait()
	p.mutex.Lock()
	delete(p.conns, client)
	delete(p.conns, server)
	p.mutex.Unlock()
}

func (p *proxy) copy(to, from net.Conn, request bool) {
	defer func() { _ = to.Close() }() // one half does not live without the other
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && p.pass(request) {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err != io.EOF {
				_ = from.Close()
			}
			return
		}
	}
}

// pass waits while the network is stuck.
func (p *proxy) pass(request bool) bool {
	p.mutex.Lock()
	stuck := p.stuck
	if request && p.half {
		stuck = nil
	}
	if stuck != nil && p.some != nil {
		close(p.some)
		p.some = nil
	}
	p.mutex.Unlock()
	if stuck == nil {
		return true
	}
	select {
	case <-stuck:
		return true
	case <-p.done:
		return false
	}
}

// hang holds everything back from now on.
func (p *proxy) hang() { p.stop(false) }

// loseAnswers holds back what etcd says.
func (p *proxy) loseAnswers() { p.stop(true) }

func (p *proxy) stop(half bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.half = half
	if p.stuck == nil {
		p.stuck = make(chan struct{})
	}
}

// wait returns when the next thing is held back.
func (p *proxy) wait(t *testing.T) {
	t.Helper()
	some := make(chan struct{})
	p.mutex.Lock()
	p.some = some
	p.mutex.Unlock()
	select {
	case <-some:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was sent")
	}
}

// heal lets everything through, what was held back first.
func (p *proxy) heal() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.stuck != nil {
		close(p.stuck)
		p.stuck = nil
	}
}

// cut breaks all connections.
func (p *proxy) cut() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for conn := range p.conns {
		_ = conn.Close() // its end is what counts
	}
}
