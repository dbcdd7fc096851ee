package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"profilesync/internal/devcloud"
)

func newDevcloud(s *settings) *cobra.Command {
	var listen, cloudsFile, state string
	cmd := &cobra.Command{
		Use:   "devcloud",
		Short: "Serve the embedded cloud on loopback, for trying things",
		Long: `Serve the embedded cloud: a Senlin-compatible API with its Keystone, for trying
things with any OpenStack client. Its state is the one that "cloud: devcloud"
uses. It has no real security: serve it on loopback only.

It serves until it is interrupted.`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	flags.StringVar(&listen, "listen", "127.0.0.1:8777", "`address` to serve on")
	flags.StringVar(&cloudsFile, "clouds-file", "", "write a ready clouds.yaml to `FILE`")
	flags.StringVar(&state, "state", "", "`file` to keep the state in (default the one of cloud: devcloud)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if state == "" {
			state = s.devcloudFile()
		}
		return s.serveDevcloud(cmd.Context(), listen, cloudsFile, state)
	}
	return cmd
}

func (s *settings) serveDevcloud(ctx context.Context, listen, cloudsFile, state string) error {
	if err := loopback(listen); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("address %q: %w", listen, err)
	}
	base := "http://" + listener.Addr().String()
	cloud, err := devcloud.Open(devcloud.Options{Path: state, BaseURL: base})
	if err != nil {
		listener.Close()
		return fmt.Errorf("embedded cloud: %w", err)
	}
	defer cloud.Close()
	server := &http.Server{
		Handler: cloud.Handler(), ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout: time.Minute, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute,
	}
	if cloudsFile != "" {
		err := writeFile("clouds file", cloudsFile, func(w io.Writer) error {
			_, err := w.Write(devcloud.CloudsYAML(base))
			return err
		})
		if err != nil {
			listener.Close()
			return err
		}
	}
	s.announceDevcloud(base, cloudsFile, state)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("server: %w", err)
	case <-ctx.Done():
	}
	graceful, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(graceful)
}

func (s *settings) announceDevcloud(base, cloudsFile, state string) {
	fmt.Fprintf(s.stdout, "Serving   %s  (Keystone at %s/identity/v3)\nState     %s\n", base, base, state)
	if cloudsFile != "" {
		file, err := filepath.Abs(cloudsFile)
		if err != nil {
			file = cloudsFile
		}
		fmt.Fprintf(s.stdout, "Clouds    %s\n\nTry       OS_CLIENT_CONFIG_FILE=%s OS_CLOUD=demo openstack cluster profile list\n", file, file)
	}
}

// loopback refuses to show the embedded cloud to a network.
func loopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen %q: want HOST:PORT", listen)}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usageError{fmt.Errorf("--listen %q: the embedded cloud has no security and is served on loopback only", listen)}
	}
	return nil
}
