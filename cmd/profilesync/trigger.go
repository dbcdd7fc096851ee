package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"profilesync/internal/daemon/page/wire"
)

func newTrigger(s *settings) *cobra.Command {
	var override string
	cmd := &cobra.Command{
		Use:   "trigger",
		Short: "Have the running daemon make a pass now",
		Long: `Have the running daemon make a pass of a target now. It does not wait for the pass.

With --override REASON the plan is carried out though no window is open; who
asked and why is logged and kept in the history. The daemon has to be configured
with a login for that.

Exit status: 0 asked; 1 refused, or no daemon answers.`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	s.configFlag(flags)
	s.addressFlag(flags)
	flags.StringVar(&s.target, "target", "", "`NAME` of the target")
	flags.StringVar(&override, "override", "", "carry the plan out though no window is open, for this `REASON`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if s.target == "" {
			return usageError{errors.New("name the target with --target")}
		}
		var request wire.Request
		if override != "" {
			request.Override = &override
		}
		c, err := s.caller(cmd)
		if err != nil {
			return err
		}
		var asked wire.Asked
		if _, err := c.call(cmd.Context(), http.MethodPost, "/api/v1/targets/"+url.PathEscape(s.target)+"/pass", nil, request, &asked); err != nil {
			return err
		}
		fmt.Fprintf(s.stdout, "Asked for a pass of %s (%s, by %s).\n", clean(asked.Target), clean(asked.Trigger), clean(asked.By))
		return nil
	}
	return cmd
}
