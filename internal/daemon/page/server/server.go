// Package server listens for HTTP and serves a handler within limits: how many
// connections there are, how long each may take and how much it may send. With
// TLS it reads the certificate anew when the files have changed.
//
// It refuses to listen beyond this machine for a handler that asks nobody to log
// in. It knows nothing of what the handler serves.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// DefaultAddress is where the server listens when nothing is said.
const DefaultAddress = "127.0.0.1:8920"

// The limits of a server.
const (
	readHeaderWithin = 5 * time.Second
	readWithin       = 15 * time.Second
	writeWithin      = 60 * time.Second
	idleWithin       = 90 * time.Second
	maxHeader        = 16 << 10
	maxConnections   = 256
	maxStreams       = 64 // requests at once within one HTTP/2 connection
	shutdownWithin   = 10 * time.Second
)

// Options say where and how to listen.
type Options struct {
	Address string // host:port; "" is [DefaultAddress], port 0 takes a free one
	TLS     TLS    // the zero value speaks plain HTTP
	Handler http.Handler

	// Guarded says that the handler asks for a login. Without it only loopback is
	// listened on, unless Open says that everybody who gets here is trusted.
	Guarded, Open bool

	Connections int           // at most at once; 0 is 256
	Shutdown    time.Duration // how long requests in hand have at the end; 0 is 10 s
	Log         *slog.Logger  // nil: nothing is logged
}

// ErrUnguarded says that plans would be shown to everybody in a network.
var ErrUnguarded = errors.New("listening beyond this machine without a login")

// Check refuses an address beyond this machine for a handler that asks nobody
// to log in. The error wraps [ErrUnguarded].
func (o Options) Check() error {
	if o.Guarded || o.Open || o.Address == "" || isLoopback(o.Address) {
		return nil
	}
	return fmt.Errorf("address %q: %w", o.Address, ErrUnguarded)
}

// Server is a listener and what serves it.
type Server struct {
	listener net.Listener
	http     *http.Server
	shutdown time.Duration
	secure   bool
}

// Listen takes the address; [Server.Serve] begins to answer. The error wraps
// [ErrUnguarded], is about a file of TLS, or is that of the address.
func Listen(options Options) (*Server, error) {
	if options.Address == "" {
		options.Address = DefaultAddress
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Connections <= 0 {
		options.Connections = maxConnections
	}
	if options.Shutdown <= 0 {
		options.Shutdown = shutdownWithin
	}
	if err := options.Check(); err != nil {
		return nil, err
	}
	s := &Server{shutdown: options.Shutdown, secure: options.TLS.Certificate != ""}
	s.http = &http.Server{
		Handler: options.Handler, ReadHeaderTimeout: readHeaderWithin, ReadTimeout: readWithin, WriteTimeout: writeWithin,
		IdleTimeout: idleWithin, MaxHeaderBytes: maxHeader, DisableGeneralOptionsHandler: true,
		ErrorLog: slog.NewLogLogger(options.Log.Handler(), slog.LevelDebug),
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
	}
	if err := s.secureWith(options.TLS, options.Log); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", options.Address)
	if err != nil {
		return nil, err
	}
	s.listener = limit(listener, options.Connections)
	return s, nil
}

func (s *Server) secureWith(files TLS, log *slog.Logger) error {
	if files == (TLS{}) {
		return nil
	}
	if files.Certificate == "" || files.Key == "" {
		return errors.New("TLS needs a certificate and its key")
	}
	keeper := newKeeper(files, log)
	if _, err := keeper.current(); err != nil {
		return err
	}
	s.http.TLSConfig = keeper.config()
	return nil
}

// Address is where the server listens, with the port it got.
func (s *Server) Address() string { return s.listener.Addr().String() }

// URL is how a program on this machine reaches the server.
func (s *Server) URL() string {
	scheme := "http"
	if s.secure {
		scheme = "https"
	}
	return scheme + "://" + s.Address()
}

// Serve answers until ctx ends. Requests in hand are then finished, within a
// time; what is still under way after that is cut off, which is no error.
func (s *Server) Serve(ctx context.Context) error {
	served := make(chan error, 1)
	go func() {
		if s.secure {
			served <- s.http.ServeTLS(s.listener, "", "")
			return
		}
		served <- s.http.Serve(s.listener)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("HTTP server at %s: %w", s.Address(), err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.shutdown)
	defer cancel()
	err := s.http.Shutdown(ending)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	<-served
	return err
}

// isLoopback reports whether only this machine can reach an address. A name is
// taken for another machine's, unless it is localhost.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
