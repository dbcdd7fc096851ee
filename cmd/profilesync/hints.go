package main

import (
	"errors"
	"fmt"
	"strings"

	"profilesync/internal/apply"
	"profilesync/internal/daemon/history"
	"profilesync/internal/daemon/page/server"
	"profilesync/internal/desired"
	"profilesync/internal/devcloud"
	"profilesync/internal/diff"
	"profilesync/internal/lease"
	"profilesync/internal/profile"
	"profilesync/internal/reconcile"
	"profilesync/internal/report"
	"profilesync/internal/senlin"
	"profilesync/internal/source"
)

// The rules for what goes to standard error: a line begins with
// "profilesync:", in lower case, without a full stop; a hint stands below it
// and says what to do next. Bad documents are listed as they are, so that an
// editor can jump to them.

// say writes an error and its hint.
func (p process) say(err error) {
	var problems desired.Errors
	var stale *reconcile.StaleError
	var limit *diff.LimitError
	for _, one := range flatten(err) {
		switch {
		case errors.As(one, &problems):
			fmt.Fprintln(p.stderr, problems)
			p.line("the documents are not good, nothing was asked of a cloud")
		case errors.As(one, &stale):
			p.line(one.Error())
			_ = report.Stale(p.stderr, stale.Approved, stale.Now, report.Style{}) // standard error is the last resort
		case errors.As(one, &limit):
			p.line(one.Error())
			p.block(goes(limit))
		default:
			p.line(one.Error())
		}
		if hint := hintFor(one); hint != "" {
			fmt.Fprintln(p.stderr, "hint: "+hint)
		}
	}
}

func (p process) line(text string) {
	fmt.Fprintln(p.stderr, "profilesync: "+report.Clean(text))
}

func (p process) block(text string) {
	for line := range strings.Lines(text) {
		fmt.Fprint(p.stderr, "  "+line)
	}
}

// flatten takes joined errors apart; errors that merely wrap stay whole, even
// when they wrap several.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if _, isDocuments := err.(desired.Errors); !ok || isDocuments {
		return []error{err}
	}
	parts := joined.Unwrap()
	if join := errors.Join(parts...); join == nil || join.Error() != err.Error() {
		return []error{err}
	}
	var all []error
	for _, one := range parts {
		all = append(all, flatten(one)...)
	}
	return all
}

// goes lists everything a refused plan would delete or recreate.
func goes(limit *diff.LimitError) string {
	var text strings.Builder
	for _, c := range limit.Changes {
		fmt.Fprintf(&text, "%c %s  %s\n", c.Action, report.Clean(c.Name), c.ID())
	}
	return text.String()
}

// hintFor is the next step after an error, or "".
func hintFor(err error) string {
	var limit *diff.LimitError
	if errors.As(err, &limit) {
		return limitHint(limit)
	}
	var usage usageError
	if errors.As(err, &usage) {
		return "profilesync --help lists the commands, profilesync COMMAND --help the flags"
	}
	var locked *lockedError
	if errors.As(err, &locked) {
		return "wait for it with --wait-lock 5m"
	}
	if hint := gitHint(err); hint != "" {
		return hint
	}
	for _, row := range append(gitHints(), hints()...) {
		if errors.Is(err, row.err) {
			return row.hint
		}
	}
	return ""
}

// advise gives the next steps after changes that failed, each once. What became
// of the changes is on standard output.
func (p process) advise(results []apply.Result) {
	given := map[string]bool{"": true}
	give := func(hint string) {
		if !given[hint] {
			given[hint] = true
			fmt.Fprintln(p.stderr, "hint: "+hint)
		}
	}
	again := false
	for _, result := range results {
		for _, outcome := range result.Outcomes {
			if outcome.Status == apply.Failed {
				give(hintFor(outcome.Err))
				again = again || errors.Is(outcome.Err, profile.ErrUnavailable) || errors.Is(outcome.Err, profile.ErrInDoubt)
			}
		}
	}
	if again {
		give("once the cloud works, run the same command again: it goes on from what is live, and settles what may have been carried out")
	}
}

func limitHint(limit *diff.LimitError) string {
	flag := fmt.Sprintf("--max-%ss %d", limit.Action, len(limit.Changes))
	if !limit.Empty {
		return "if that is meant, permit exactly these with " + flag
	}
	if len(limit.Changes) > 1 {
		return "is --path right? If everything is meant to go, add --allow-empty " + flag
	}
	return "is --path right? If everything is meant to go, add --allow-empty"
}

type hint struct {
	err  error
	hint string
}

func hints() []hint {
	return []hint{
		{errNoOwner, "name the owner with --owner NAME or owner: NAME in profilesync.yaml; it marks the profiles that this repository may change"},
		{errNoSource, "name a Git repository with --source URL|PATH, a directory with --worktree DIR, or write a profilesync.yaml"},
		{errNotAsked, "add --yes, or carry out an approved plan: profilesync plan --out FILE, then profilesync apply --plan FILE"},
		{errNoDaemon, "is it running? profilesync daemon begins one; --address names another than the configuration does"},
		{history.ErrBusy, "another daemon of this user is running; a second one needs a directory of its own: --state DIR"},
		{history.ErrNewer, "begin the newer program again, or give this one a directory of its own: --state DIR"},
		{lease.ErrUnavailable, "is etcd up and within reach, or the directory of the locks writable? Nothing is written until it is known who may"},
		{server.ErrUnguarded, "set daemon.http.auth in profilesync.yaml, listen on 127.0.0.1, or say open: true where everybody in the network may see the plans"},
		{errInterrupted, "run the same command again: it goes on from what is live"},
		{source.ErrEmpty, "commit the documents first, or read a directory with --worktree"},
		{source.ErrNoRepository, "name the path or URL of a Git repository; a plain directory is read with --worktree"},
		{source.ErrNoRevision, "--ref takes a branch, a tag or a commit of that repository; without it the remote's HEAD is read"},
		{source.ErrNoPath, "--worktree names a directory on disk, --path one inside it or inside the repository"},
		{source.ErrAuthentication, "source.login in profilesync.yaml says how to get in; in a pipeline, PROFILESYNC_GIT_TOKEN or PROFILESYNC_GIT_PASSWORD do"},
		{source.ErrUnreachable, "is the URL right, and can this machine reach it?"},
		{source.ErrLimit, "--path narrows what is read, and .profilesyncignore leaves things out"},
		{source.ErrRefused, "put a plain file in its place, move it away, or list it in .profilesyncignore"},
		{source.ErrDamaged, "run git fsck in the repository, or clone it again"},
		{devcloud.ErrBusy, "another profilesync uses the embedded cloud: wait for it, or use the clouds.yaml that profilesync devcloud --clouds-file wrote"},
		{senlin.ErrNoCloud, "clouds.yaml is looked for in OS_CLIENT_CONFIG_FILE, ., ~/.config/openstack and /etc/openstack; --cloud devcloud needs none"},
		{senlin.ErrNoConfig, "name an entry of clouds.yaml with --cloud, or set the OS_ variables; --cloud devcloud needs neither"},
		{senlin.ErrAuth, "do the credentials in clouds.yaml work? try: openstack --os-cloud NAME token issue"},
		{senlin.ErrNoService, "this cloud may have no Senlin, or not in this region: try openstack catalog list, and --region"},
		{senlin.ErrUnreachable, "is the service up, and can this machine reach it?"},
		{senlin.ErrTimeout, "the service takes requests and does not answer them: its conductor, message broker or database may be down"},
		{senlin.ErrNotKeystone, "auth_url in clouds.yaml must be that of Keystone v3, such as https://HOST:5000/v3"},
		{senlin.ErrNotSenlin, "something else answers at Senlin's address: a proxy's page, perhaps, or a wrong catalog entry"},
		{senlin.ErrToken, "Senlin does not take a token that Keystone has just issued: do they belong together, and do their clocks agree?"},
		{profile.ErrDenied, "the role of this user does not allow it; Senlin's policy file says what does"},
	}
}
