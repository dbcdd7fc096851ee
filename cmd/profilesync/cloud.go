package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"profilesync/internal/devcloud"
	"profilesync/internal/lease"
	"profilesync/internal/reconcile"
	"profilesync/internal/senlin"
)

// devcloudName is the cloud that needs no clouds.yaml: it lives in this process
// and keeps its state in a file.
const devcloudName = "devcloud"

// devcloudURL is how the embedded cloud is addressed inside the process.
const devcloudURL = "http://devcloud.invalid"

// embedded is the one devcloud of this process: its store can be open only
// once, and several targets may share it.
type embedded struct {
	mutex sync.Mutex
	cloud *devcloud.Cloud
}

func (e *embedded) open(file string) (*devcloud.Cloud, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.cloud == nil {
		cloud, err := devcloud.Open(devcloud.Options{Path: file, BaseURL: devcloudURL})
		if err != nil {
			return nil, err
		}
		e.cloud = cloud
	}
	return e.cloud, nil
}

func (e *embedded) close() error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.cloud == nil {
		return nil
	}
	cloud := e.cloud
	e.cloud = nil
	return cloud.Close()
}

// A client is all that a pass asks of a cloud.
var _ reconcile.Cloud = (*senlin.Client)(nil)

// connect logs in to the target's cloud. A client without a fence cannot write,
// even by mistake; one with a fence asks it before each write.
func (s *settings) connect(ctx context.Context, t targetConfig, fence lease.Fence) (*senlin.Client, error) {
	opts := senlin.Options{
		Cloud: t.Cloud, Region: t.Region, Project: t.Project, Getenv: s.getenv,
		ReadOnly: fence == nil, UserAgent: "profilesync (" + instance() + ")", Log: s.logger, Timeout: s.timeout, Wrap: s.around(t.Name, fence),
	}
	if t.Cloud == devcloudName {
		cloud, err := s.embedded.open(s.devcloudFile())
		if err != nil {
			return nil, fmt.Errorf("embedded cloud: %w", err)
		}
		opts.Transport, opts.Login = cloud.Transport(), devcloudLogin()
	}
	return senlin.Connect(ctx, opts)
}

// devcloudLogin is the embedded cloud's first user.
func devcloudLogin() *senlin.Login {
	account := devcloud.Accounts()[0]
	return &senlin.Login{
		AuthURL:  devcloud.AuthURL(devcloudURL),
		Username: account.Name, Password: account.Password, Project: account.Project,
	}
}

// devcloudFile is where the embedded cloud keeps its state.
func (s *settings) devcloudFile() string {
	dir, _ := s.lookup("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) { // the XDG specification: a relative path is ignored
		home := s.getenv("HOME")
		if !filepath.IsAbs(home) {
			home = os.TempDir()
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "profilesync", "devcloud.db")
}
