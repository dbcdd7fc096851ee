package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"profilesync/internal/daemon/notify"
	"profilesync/internal/daemon/status"
)

// notices are the notifications of the configuration that holds.
type notices struct {
	mutex sync.Mutex
	now   *notify.Notifier
	group sync.WaitGroup
}

// replace begins to notify as a configuration says. What is queued for the one
// before is still sent.
func (n *notices) replace(v *service, c config) error {
	receivers, err := v.receivers(c.Daemon.Notify)
	if err != nil {
		return err
	}
	next, err := notify.New(notify.Options{
		Receivers: receivers, Source: "profilesync/" + c.Owner, Link: c.Daemon.HTTP.Link, Log: v.logger,
	})
	if err != nil {
		return err
	}
	n.group.Go(func() { next.Run(context.Background()) }) // until Close, which waits for last words
	n.mutex.Lock()
	before := n.now
	n.now = next
	n.mutex.Unlock()
	if before != nil {
		n.group.Go(before.Close)
	}
	return nil
}

func (v *service) receivers(list []notifyConfig) ([]notify.Receiver, error) {
	var receivers []notify.Receiver
	for i, c := range list {
		receiver := notify.Receiver{Webhook: c.Webhook}
		if (c.Webhook == "") == c.Service.place().IsZero() {
			return nil, usageError{fmt.Errorf("daemon.notify: entry %d: want a webhook or a service", i+1)}
		}
		for _, secret := range []struct {
			what  string
			where secretConfig
			into  *string
		}{
			{"token of a webhook", c.Token, &receiver.Token},
			{"secret of a webhook", c.Secret, &receiver.Secret},
			{"service for notifications", c.Service, &receiver.Service},
		} {
			if secret.where.place().IsZero() {
				continue
			}
			var err error
			if *secret.into, err = v.readSecret(secret.what, secret.where); err != nil {
				return nil, err
			}
		}
		for _, word := range c.Events {
			if !slices.Contains(notify.Kinds(), notify.Kind(word)) {
				return nil, usageError{fmt.Errorf("daemon.notify: entry %d: events: %s: want failed, recovered, applied or blocked", i+1, quote(word))}
			}
			receiver.On = append(receiver.On, notify.Kind(word))
		}
		receivers = append(receivers, receiver)
	}
	return receivers, nil
}

// passed tells of a pass, and returns at once.
func (n *notices) passed(previous *status.Pass, pass status.Pass) {
	if notifier := n.current(); notifier != nil {
		notifier.Pass(previous, pass)
	}
}

func (n *notices) current() *notify.Notifier {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.now
}

// close ends all of them, within the time of last words.
func (n *notices) close() {
	if notifier := n.current(); notifier != nil {
		notifier.Close()
	}
	n.group.Wait()
}

// watchNotices has the daemon tell of receivers that take nothing.
func (v *service) watchNotices(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		var problems []error
		for _, problem := range v.notices.current().Problems() {
			problems = append(problems, errors.New(problem.Text))
		}
		text := ""
		if err := errors.Join(problems...); err != nil {
			text = strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		v.daemon.Problem(status.NotifyProblem, text)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
