package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// TLS names the files of a server: PEM, read anew when they change.
type TLS struct {
	Certificate string // with the chain
	Key         string
	ClientCA    string // authorities of client certificates; "" asks for none
}

const (
	lookEvery = time.Second // at most so often a handshake looks at the files
	maxFile   = 1 << 20
)

// keeper holds the configuration of TLS that is in the files. Files that do not
// fit together, as in the middle of a renewal, leave the one before in place.
type keeper struct {
	files TLS
	log   *slog.Logger
	now   func() time.Time

	mutex  sync.Mutex
	held   *tls.Config
	read   [3][]byte // what held was made of
	looked time.Time
	said   string // the last complaint
}

func newKeeper(files TLS, log *slog.Logger) *keeper {
	return &keeper{files: files, log: log, now: time.Now}
}

// config asks the keeper at each handshake.
func (k *keeper) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return k.current()
		},
	}
}

// current is the configuration as of now. An error is possible only as long as
// there was never one.
func (k *keeper) current() (*tls.Config, error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	now := k.now()
	if since := now.Sub(k.looked); k.held != nil && since >= 0 && since < lookEvery {
		return k.held, nil
	}
	k.looked = now
	err := k.look()
	if k.held == nil {
		return nil, err
	}
	switch {
	case err == nil:
		k.said = ""
	case err.Error() != k.said:
		k.said = err.Error()
		k.log.Warn("files of TLS are refused, the ones before go on", "error", err)
	}
	return k.held, nil
}

// look reads the files, and makes a configuration of them when they differ. A
// new configuration has new keys for session tickets, so that nobody comes back
// on the word of an authority that is gone.
func (k *keeper) look() error {
	var read [3][]byte
	for i, name := range []string{k.files.Certificate, k.files.Key, k.files.ClientCA} {
		if name == "" {
			continue
		}
		content, err := bounded(name)
		if err != nil {
			return err
		}
		read[i] = content
	}
	if k.held != nil && bytes.Equal(read[0], k.read[0]) && bytes.Equal(read[1], k.read[1]) && bytes.Equal(read[2], k.read[2]) {
		return nil
	}
	config, err := k.make(read)
	if err != nil {
		return err
	}
	if k.held != nil {
		k.log.Info("files of TLS have changed, the new ones are in use")
	}
	k.held, k.read = config, read
	return nil
}

func (k *keeper) make(read [3][]byte) (*tls.Config, error) {
	pair, err := tls.X509KeyPair(read[0], read[1])
	if err != nil {
		return nil, fmt.Errorf("certificate %q with key %q: %w", k.files.Certificate, k.files.Key, err)
	}
	config := k.config()
	config.GetConfigForClient = nil
	config.Certificates = []tls.Certificate{pair}
	if k.files.ClientCA == "" {
		return config, nil
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(read[2]) {
		return nil, fmt.Errorf("client authorities %q: no certificate in it", k.files.ClientCA)
	}
	// Whoever sends none is told by the handler what to do: probes and hooks may
	// have none.
	config.ClientAuth = tls.VerifyClientCertIfGiven
	return config, nil
}

// bounded reads a file of a sensible size.
func bounded(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, fmt.Errorf("%q: not a regular file", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = errors.New("more than 1 MiB")
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	return content, nil
}
