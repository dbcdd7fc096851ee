package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"profilesync/internal/daemon"
	"profilesync/internal/daemon/history"
	"profilesync/internal/daemon/metrics"
	"profilesync/internal/daemon/page/server"
	"profilesync/internal/daemon/status"
	"profilesync/internal/lease"
)

func newDaemon(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "daemon",
		Short: "Repeat passes on a schedule and on every push",
		Long: `Repeat passes: on a schedule, when something was pushed, and when somebody asks.
Plans are carried out without asking, within the limits of the configuration;
"mode: report" of a target only shows what would be done.

A failed pass is repeated later and later, until the source has a new revision.
Replicas that share an etcd share the targets: each is served by one of them.

SIGHUP reads the configuration again; a bad one is refused, and the old one goes
on. After an interrupt the profiles in hand are finished; a second one ends at
once. The page, the metrics and the API are at http://` + defaultListen + ` unless
the configuration says otherwise.

Exit status: 0 stopped by a signal; 1 it could not begin, or cannot go on.`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	s.configFlag(flags)
	s.sourceFlags(flags)
	s.cloudFlags(flags)
	s.standingFlags(flags)
	flags.StringVar(&s.schedule, "schedule", "", "`CRON` expression, or @every TIME (default "+defaultSchedule+")")
	flags.StringVar(&s.listen, "listen", "", "`HOST:PORT` of the page, the metrics and the API (default "+defaultListen+")")
	flags.StringVar(&s.state, "state", "", "`DIR`ectory of the history (default $STATE_DIRECTORY or $XDG_STATE_HOME/profilesync)")
	cmd.MarkFlagsMutuallyExclusive("source", "worktree")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v := &service{settings: s, cmd: cmd, standing: standing{s.prune, s.adopt, s.parallel}}
		return v.run(cmd.Context())
	}
	return cmd
}

// service is a daemon with all that belongs to its process.
type service struct {
	*settings
	cmd      *cobra.Command
	standing standing
	config   config // the one that holds
	daemon   *daemon.Daemon
	passes   *history.Store
	metrics  *metrics.Metrics
	notices  notices
	face     swapped // what the server serves
	bell     bell    // nil without etcd
}

// standing is what the command line says; each reading of the configuration
// lays the file over it anew.
type standing struct {
	prune, adopt bool
	parallel     int
}

// read reads the configuration as if the process had just begun.
func (v *service) read() (config, daemon.Config, error) {
	v.prune, v.adopt, v.parallel = v.standing.prune, v.standing.adopt, v.standing.parallel
	c, err := v.load(v.cmd)
	if err != nil {
		return config{}, daemon.Config{}, err
	}
	if v.listen != "" {
		c.Daemon.HTTP.Listen = v.listen
	}
	built, err := v.build(c)
	if err != nil {
		return config{}, daemon.Config{}, err
	}
	built.Documents = counted{built.Documents, v.metrics.GitRead}
	return c, built, nil
}

// run begins everything, repeats passes until ctx ends, and ends everything.
func (v *service) run(ctx context.Context) error {
	v.logger = v.log(slog.LevelInfo, time.RFC3339) // what it does, and not only what goes wrong
	v.observe = v.count
	v.metrics = metrics.New(strings.TrimPrefix(version(), "profilesync "), func() status.Daemon { return v.daemon.Status() })
	c, built, err := v.read()
	if err != nil {
		return err
	}
	v.config = c
	keeper, kind, err := v.keeper(c.Lease, "daemon")
	if err != nil {
		return err
	}
	defer v.closing("leases", keeper)
	passes, note, err := history.Open(filepath.Join(v.stateDir(c.Daemon.State), "history.db"), history.Options{})
	if err != nil {
		return err
	}
	defer v.closing("history", passes)
	if note != "" {
		v.logger.Warn("history", "note", note)
	}
	options := daemon.Options{
		Version: strings.TrimPrefix(version(), "profilesync "), Instance: instance(), LeaseKind: kind, Journal: passes,
		Passed: v.passed, Hint: daemonHint, Log: v.logger,
	}
	v.passes = passes
	passes.Keep(names(built))
	v.bell, _ = keeper.(bell)
	if keeper != nil {
		options.Leases = lease.NewSharing(keeper, daemon.Serving, func() int { return len(v.daemon.Status().Targets) })
	}
	v.daemon = daemon.New(options, built)
	return v.serve(ctx, c)
}

// serve answers requests and repeats passes.
func (v *service) serve(ctx context.Context, c config) error {
	face, listen, err := v.newFace(c)
	if err != nil {
		return err
	}
	v.face.set(face)
	if err := v.notices.replace(v, c); err != nil {
		return err
	}
	listener, err := server.Listen(listen)
	if err != nil {
		return err
	}
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group errgroup.Group
	group.Go(func() error {
		err := listener.Serve(background)
		cancel(err)
		return err
	})
	for _, part := range []func(context.Context){v.hangups, v.watchdog, v.watchNotices, v.hear} {
		group.Go(func() error {
			part(background)
			return nil
		})
	}
	v.logger.Info("serving", "targets", len(v.daemon.Status().Targets), "page", listener.URL()+"/", "instance", instance())
	v.tellSystemd("READY=1\nSTATUS=" + v.inALine())
	v.daemon.Run(ctx)
	v.tellSystemd("STOPPING=1")
	v.logger.Info("stopped")
	v.notices.close()
	end()
	return group.Wait()
}

// names are those of the targets, whose passes are to be kept.
func names(built daemon.Config) []string {
	var names []string
	for _, t := range built.Targets {
		names = append(names, t.Name)
	}
	return names
}

// passed is told of every pass.
func (v *service) passed(previous *status.Pass, pass status.Pass) {
	v.metrics.Passed(pass)
	v.notices.passed(previous, pass)
}

// hangups reads the configuration again for each SIGHUP.
func (v *service) hangups(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-hangup:
			v.reload()
		case <-ctx.Done():
			return
		}
	}
}

// reload takes up another configuration, whole or not at all.
func (v *service) reload() {
	v.tellSystemd(reloading())
	defer v.tellSystemd("READY=1")
	c, built, err := v.read()
	var face http.Handler
	if err == nil {
		face, _, err = v.newFace(c)
	}
	if err == nil {
		err = v.notices.replace(v, c)
	}
	if err != nil {
		v.daemon.Refused(err)
		v.logger.Error("configuration refused, the one before goes on", "error", err, "hint", hintFor(err))
		return
	}
	if c.Daemon.HTTP.Listen != v.config.Daemon.HTTP.Listen || c.Daemon.HTTP.TLS != v.config.Daemon.HTTP.TLS ||
		c.Daemon.State != v.config.Daemon.State || !reflect.DeepEqual(c.Lease, v.config.Lease) {
		v.logger.Warn("where to listen, the directory of the history and the leases are taken up by a restart only")
	}
	v.config = c
	v.daemon.Reload(built)
	v.passes.Keep(names(built))
	v.face.set(face)
	v.logger.Info("configuration read again", "targets", len(built.Targets))
}

// closing closes what the process has opened.
func (v *service) closing(what string, closer interface{ Close() error }) {
	if closer == nil {
		return
	}
	if err := closer.Close(); err != nil {
		v.logger.Warn(what+" not closed", "error", err)
	}
}
