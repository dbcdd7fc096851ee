package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"profilesync/internal/diff"
	"profilesync/internal/report"
	"profilesync/internal/senlin"
	"profilesync/internal/source"
)

// settings are the command line and the environment; config adds the file.
type settings struct {
	process

	configFile                  string
	source, ref, path, worktree string
	cloud, region, project      string
	owner, target               string
	sourceTimeout               time.Duration
	cache                       string
	allowRewind                 string
	output                      string
	parallel                    int
	prune, adopt, allowEmpty    bool
	maxDeletes, maxRecreates    int
	schedule, listen, state     string        // of the daemon
	address                     string        // of the one that is asked
	waitLock                    time.Duration // for whoever else writes to a target
	logFormat                   string
	verbose                     bool

	pinned string       // revision of an approved plan: what is read instead of ref
	logger *slog.Logger // set once the flags are known

	embedded embedded                                                      // the devcloud of this process
	observe  func(target string, base http.RoundTripper) http.RoundTripper // counts what goes to clouds; may be nil
}

// style is how text on standard output is laid out.
func (s *settings) style() report.Style {
	style := report.Style{Color: s.color(s.stdout), Verbose: s.verbose}
	if file, ok := s.stdout.(*os.File); ok && terminal(file) {
		style.Width, _, _ = term.GetSize(int(file.Fd())) // 0 when unknown
	}
	return style
}

func (s *settings) logFlags(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&s.logFormat, "log-format", "text", "`format` of the log on standard error: text or json")
	flags.BoolVarP(&s.verbose, "verbose", "v", false, "log every request and show what is in sync")
}

func (s *settings) configFlag(flags *pflag.FlagSet) {
	flags.StringVarP(&s.configFile, "config", "c", "", "configuration `file` (default ./profilesync.yaml if there)")
}

func (s *settings) sourceFlags(flags *pflag.FlagSet) {
	flags.StringVar(&s.source, "source", "", "Git repository with the documents: a `URL|PATH`")
	flags.StringVar(&s.ref, "ref", "", "`branch`, tag or commit to read (default the remote's HEAD)")
	flags.StringVar(&s.path, "path", "", "`directory` of the documents in the repository")
	flags.StringVar(&s.worktree, "worktree", "", "read the documents of a `directory` as they lie on disk")
	flags.StringVar(&s.cache, "cache", "", "keep what Git servers send in a `DIR`ectory, or none (default $XDG_CACHE_HOME/profilesync/git)")
	flags.DurationVar(&s.sourceTimeout, "source-timeout", source.DefaultTime, "longest `TIME` for reading the documents, from a Git server for one")
}

func (s *settings) cloudFlags(flags *pflag.FlagSet) {
	flags.StringVar(&s.cloud, "cloud", "", "`NAME` of an entry of clouds.yaml, or devcloud (default OS_CLOUD, the OS_ variables, or devcloud)")
	flags.StringVar(&s.region, "region", "", "region of the cloud, by `NAME`")
	flags.StringVar(&s.project, "project", "", "project to work in, by `NAME|ID`")
	flags.DurationVar(&s.timeout, "request-timeout", cmp.Or(s.timeout, senlin.DefaultTimeout),
		"longest `TIME` for one request to the cloud, its answer included")
	flags.StringVar(&s.target, "target", "", "only this target of the configuration, by `NAME`")
	flags.StringVar(&s.owner, "owner", "", "`NAME` of who manages the profiles: only profiles that bear this mark are changed or deleted")
}

// standingFlags hold for every pass, waiverFlags for the one of this run.
func (s *settings) standingFlags(flags *pflag.FlagSet) {
	flags.IntVar(&s.parallel, "parallel", 8, "`N` changes carried out side by side")
	flags.BoolVar(&s.prune, "prune", true, "delete our profiles that no document asks for")
	flags.BoolVar(&s.adopt, "adopt", false, "take over unowned profiles whose spec differs")
}

func (s *settings) waiverFlags(flags *pflag.FlagSet) {
	flags.IntVar(&s.maxDeletes, "max-deletes", -1, "permit up to `N` deletes in this run (without it one, or 30 % of our profiles)")
	flags.IntVar(&s.maxRecreates, "max-recreates", -1, "permit up to `N` recreates in this run (without it ten, or 50 % of our profiles)")
	flags.Lookup("max-deletes").DefValue = "0" // the help would show -1 as the default
	flags.Lookup("max-recreates").DefValue = "0"
	flags.StringVar(&s.allowRewind, "allow-rewind", "", "permit this one `COMMIT` although it does not descend from what is live")
	flags.BoolVar(&s.allowEmpty, "allow-empty", false, "permit documents that ask for no profile at all")
}

// passFlags are all that a pass can be told.
func (s *settings) passFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	s.configFlag(flags)
	s.sourceFlags(flags)
	s.cloudFlags(flags)
	s.standingFlags(flags)
	s.waiverFlags(flags)
	s.outputFlag(flags)
	cmd.MarkFlagsMutuallyExclusive("source", "worktree")
}

func (s *settings) outputFlag(flags *pflag.FlagSet) {
	flags.StringVarP(&s.output, "output", "o", "text", "`format` of standard output: text, json or markdown")
}

// fromEnvironment gives every flag that is not on the command line its value
// from PROFILESYNC_<FLAG>, and checks what is limited to a few words.
func (s *settings) fromEnvironment(cmd *cobra.Command) error {
	var wrong error
	sourceNamed := cmd.Flags().Changed("source") || cmd.Flags().Changed("worktree")
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if sourceNamed && (flag.Name == "source" || flag.Name == "worktree") {
			return // one named on the command line replaces the other kind too
		}
		name := "PROFILESYNC_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		value, ok := s.lookup(name)
		if flag.Changed || !ok || value == "" || flag.Name == "help" || wrong != nil {
			return
		}
		if err := cmd.Flags().Set(flag.Name, value); err != nil {
			wrong = usageError{fmt.Errorf("%s=%s: %w", name, value, err)}
		}
	})
	if wrong != nil {
		return wrong
	}
	if err := s.checkWords(cmd); err != nil {
		return err
	}
	s.logger = s.log(slog.LevelWarn, "15:04:05.000")
	return nil
}

func (s *settings) checkWords(cmd *cobra.Command) error {
	for flag, words := range map[string][]string{
		"output":     {"text", "json", "markdown"},
		"log-format": {"text", "json"},
	} {
		f := cmd.Flags().Lookup(flag)
		if f != nil && !slices.Contains(words, f.Value.String()) {
			return usageError{fmt.Errorf("--%s %q: want %s", flag, f.Value.String(), strings.Join(words, ", "))}
		}
	}
	if f := cmd.Flags().Lookup("parallel"); f != nil && !parallelMakesSense(s.parallel) {
		return usageError{fmt.Errorf("--parallel %d: want 1 to 64", s.parallel)}
	}
	if f := cmd.Flags().Lookup("request-timeout"); f != nil && s.timeout <= 0 {
		return usageError{fmt.Errorf("--request-timeout %s: want a time such as 70s", s.timeout)}
	}
	if f := cmd.Flags().Lookup("source-timeout"); f != nil && s.sourceTimeout <= 0 {
		return usageError{fmt.Errorf("--source-timeout %s: want a time such as 5m", s.sourceTimeout)}
	}
	if err := s.checkRewind(); err != nil {
		return err
	}
	for flag, n := range map[string]int{"max-deletes": s.maxDeletes, "max-recreates": s.maxRecreates} {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Changed && n < 0 {
			return usageError{fmt.Errorf("--%s %d: want a count", flag, n)}
		}
	}
	return nil
}

func parallelMakesSense(n int) bool { return n >= 1 && n <= 64 }

// close ends what the process has opened for all of its commands.
func (s *settings) close() {
	if err := s.embedded.close(); err != nil {
		s.logger.Warn("embedded cloud not closed", "error", err)
	}
}

// limits are the guards as the configuration sets them, with the waivers of
// this run. A waiver of -1 is none.
func (s *settings) limits(c limitsConfig) diff.Limits {
	waiver := func(n int) *int {
		if n < 0 {
			return nil
		}
		return &n
	}
	return diff.Limits{
		Deletes:    diff.Limit{Count: c.Deletes, Percent: c.Percent, Waiver: waiver(s.maxDeletes)},
		Recreates:  diff.Limit{Count: c.Recreates, Waiver: waiver(s.maxRecreates)},
		AllowEmpty: s.allowEmpty,
	}
}

// log writes to standard error what is at least of a level; with -v, every
// request too.
func (s *settings) log(least slog.Level, timeFormat string) *slog.Logger {
	if s.verbose {
		least = slog.LevelDebug
	}
	if s.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(s.stderr, &slog.HandlerOptions{Level: least}))
	}
	return slog.New(tint.NewTextHandler(s.stderr, &tint.Options{
		Level: least, TimeFormat: timeFormat, NoColor: !s.color(s.stderr),
	}))
}

// color reports whether a stream takes colour: a terminal does, unless
// NO_COLOR or TERM=dumb say otherwise; CLICOLOR_FORCE forces it.
func (s *settings) color(stream any) bool {
	force := s.getenv("CLICOLOR_FORCE")
	switch {
	case s.getenv("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	}
	return terminal(stream) && s.getenv("TERM") != "dumb"
}

// getenv reads the environment; what is not there is empty.
func (s *settings) getenv(name string) string {
	value, _ := s.lookup(name)
	return value
}

// quote repeats what was said to the program, as much of it as a line bears.
func quote(text string) string {
	if len(text) > 200 {
		return strconv.Quote(text[:200]) + "…"
	}
	return strconv.Quote(text)
}
