package clustering

import "context"

type engine struct{}

func newEngine(*API) *engine                   { return &engine{} }
func (e *engine) resume() error                { return nil }
func (e *engine) stop()                        {}
func (e *engine) settle(context.Context) error { return nil }
