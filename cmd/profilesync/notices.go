package main

import (
	"context"

	"profilesync/internal/daemon/status"
)

// notices stub
type notices struct{}

func (n *notices) replace(v *service, c config) error { return nil }
func (n *notices) watch(ctx context.Context)          { <-ctx.Done() }
func (n *notices) passed(status.Pass)                 {}
func (n *notices) close()                             {}
