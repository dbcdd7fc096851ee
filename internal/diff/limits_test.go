package diff_test

import (
	"errors"
	"fmt"
	"testing"

	"profilesync/internal/diff"
	"profilesync/internal/live"
)

func deletes(n int, reason diff.Reason, block diff.Block) []diff.Change {
	var changes []diff.Change
	for i := range n {
		changes = append(changes, diff.Change{
			Action: diff.Delete, Name: fmt.Sprint("p", i), Reason: reason, Block: block, Before: &live.Profile{ID: fmt.Sprint(i)},
		})
	}
	return changes
}

func recreates(n int) []diff.Change {
	var changes []diff.Change
	for i := range n {
		changes = append(changes, diff.Change{
			Action: diff.Recreate, Name: fmt.Sprint("p", i), Reason: diff.SpecDiffers, Before: &live.Profile{ID: fmt.Sprint(i)},
		})
	}
	return changes
}

func TestLimits(t *testing.T) {
	gone := func(n int) []diff.Change { return deletes(n, diff.NotDesired, "") }
	for _, row := range []struct {
		name    string
		owned   int
		desired int
		changes []diff.Change
		limits  diff.Limits
		refused string
	}{
		{name: "nothing owned, nothing deleted", desired: 1},
		{name: "one delete is always fine", owned: 1, desired: 1, changes: gone(1)},
		{name: "one delete of two", owned: 2, desired: 1, changes: gone(1)},
		{name: "two deletes of two", owned: 2, desired: 1, changes: gone(2), refused: "2 of our 2 profiles would be deleted, at most 1 may be"},
		{name: "two of six is over 30 %", owned: 6, desired: 1, changes: gone(2), refused: "2 of our 6 profiles would be deleted, at most 1 may be"},
		{name: "two of seven is not", owned: 7, desired: 1, changes: gone(2)},
		{name: "three of nine is over 30 %", owned: 9, desired: 1, changes: gone(3), refused: "3 of our 9 profiles would be deleted, at most 2 may be"},
		{name: "three of ten is 30 % and not over it", owned: 10, desired: 1, changes: gone(3)},
		{name: "four of ten", owned: 10, desired: 1, changes: gone(4), refused: "4 of our 10 profiles would be deleted, at most 3 may be"},
		{name: "thirty of a hundred", owned: 100, desired: 1, changes: gone(30)},
		{name: "thirty-one of a hundred", owned: 100, desired: 1, changes: gone(31), refused: "31 of our 100 profiles would be deleted, at most 30 may be"},
		{name: "exactly as many as permitted", owned: 4, desired: 1, changes: gone(4), limits: diff.Limits{Deletes: diff.Limit{Waiver: new(4)}}},
		{name: "one more than permitted", owned: 5, desired: 1, changes: gone(5), limits: diff.Limits{Deletes: diff.Limit{Waiver: new(4)}}, refused: "5 of our 5 profiles would be deleted, at most 4 may be"},
		{name: "none permitted", owned: 9, desired: 1, changes: gone(1), limits: diff.Limits{Deletes: diff.Limit{Waiver: new(0)}}, refused: "1 of our 9 profiles would be deleted, at most 0 may be"},
		{name: "a permitted number below the default rule", owned: 100, desired: 1, changes: gone(3), limits: diff.Limits{Deletes: diff.Limit{Waiver: new(2)}}, refused: "3 of our 100 profiles would be deleted, at most 2 may be"},
		{name: "blocked deletes do not count", owned: 4, desired: 1, changes: append(deletes(3, diff.NotDesired, diff.InUse), gone(1)...)},
		{name: "superseded ones do not count", owned: 1, desired: 1, changes: append(deletes(5, diff.Superseded, ""), gone(1)...)},
		{name: "duplicates count", owned: 3, desired: 1, changes: deletes(2, diff.Duplicate, ""), refused: "2 of our 3 profiles would be deleted, at most 1 may be"},
		{name: "other actions do not count", owned: 1, desired: 1, changes: []diff.Change{
			{Action: diff.Create, Reason: diff.Missing}, {Action: diff.Update, Reason: diff.Duplicate}, {Action: diff.NoOp, Reason: diff.Superseded},
		}},
		{name: "documents that ask for nothing", owned: 2, changes: gone(1), refused: "the documents ask for no profile at all, and 2 of ours are live"},
		{name: "documents that ask for nothing, and nothing is live", refused: "the documents ask for no profile at all, and 0 of ours are live"},
		{name: "documents that may ask for nothing", owned: 1, changes: gone(1), limits: diff.Limits{AllowEmpty: true}},
		{name: "documents that may ask for nothing do not lift the limit", owned: 2, changes: gone(2), limits: diff.Limits{AllowEmpty: true}, refused: "2 of our 2 profiles would be deleted, at most 1 may be"},
		{name: "a permitted number does not permit asking for nothing", owned: 2, changes: gone(2), limits: diff.Limits{Deletes: diff.Limit{Waiver: new(2)}}, refused: "the documents ask for no profile at all, and 2 of ours are live"},
		{name: "another share", owned: 10, desired: 1, changes: gone(4), limits: diff.Limits{Deletes: diff.Limit{Percent: new(40)}}},
		{name: "a count below the share", owned: 100, desired: 1, changes: gone(6), limits: diff.Limits{Deletes: diff.Limit{Count: new(5)}}, refused: "6 of our 100 profiles would be deleted, at most 5 may be"},
		{name: "a count above the share lifts nothing", owned: 10, desired: 1, changes: gone(4), limits: diff.Limits{Deletes: diff.Limit{Count: new(5)}}, refused: "4 of our 10 profiles would be deleted, at most 3 may be"},
		{name: "a count of none", owned: 10, desired: 1, changes: gone(1), limits: diff.Limits{Deletes: diff.Limit{Count: new(0)}}, refused: "1 of our 10 profiles would be deleted, at most 0 may be"},
		{name: "a waiver lifts count and share", owned: 4, desired: 1, changes: gone(4), limits: diff.Limits{Deletes: diff.Limit{Count: new(0), Percent: new(1), Waiver: new(4)}}},
		{name: "ten recreates are always fine", owned: 10, desired: 10, changes: recreates(10)},
		{name: "half of a hundred recreated", owned: 100, desired: 100, changes: recreates(50)},
		{name: "more than half of a hundred recreated", owned: 100, desired: 100, changes: recreates(51), refused: "51 of our 100 profiles would be recreated, at most 50 may be"},
		{name: "a waiver for recreates", owned: 100, desired: 100, changes: recreates(51), limits: diff.Limits{Recreates: diff.Limit{Waiver: new(51)}}},
		{name: "a waiver for deletes is none for recreates", owned: 100, desired: 100, changes: recreates(51), limits: diff.Limits{Deletes: diff.Limit{Waiver: new(51)}}, refused: "51 of our 100 profiles would be recreated, at most 50 may be"},
		{
			name: "both limits at once", owned: 20, desired: 11, changes: append(gone(9), recreates(11)...),
			refused: "9 of our 20 profiles would be deleted, at most 6 may be\n11 of our 20 profiles would be recreated, at most 10 may be",
		},
		{name: "both", owned: 2, changes: gone(2), limits: diff.Limits{AllowEmpty: true, Deletes: diff.Limit{Waiver: new(2)}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := diff.Plan{Owned: row.owned, Desired: row.desired, Changes: row.changes}.Check(row.limits)
			switch {
			case err == nil && row.refused != "":
				t.Error("not refused")
			case err != nil && err.Error() != row.refused:
				t.Errorf("refused: %v", err)
			}
		})
	}
}

// Whoever is refused is told everything that would go.
func TestALimitErrorListsEveryDelete(t *testing.T) {
	changes := append(deletes(3, diff.NotDesired, ""), deletes(2, diff.Superseded, "")...)
	err := diff.Plan{Owned: 3, Desired: 1, Changes: append(changes, deletes(1, diff.NotDesired, diff.Protected)...)}.Check(diff.Limits{})
	var limit *diff.LimitError
	if !errors.As(err, &limit) {
		t.Fatalf("error is %v", err)
	}
	if limit.Empty || limit.Owned != 3 || limit.Allowed != 1 || len(limit.Changes) != 3 || limit.Changes[2].Name != "p2" {
		t.Errorf("says %+v", limit)
	}
	var empty *diff.LimitError
	if err := (diff.Plan{Owned: 3, Changes: changes}).Check(diff.Limits{}); !errors.As(err, &empty) || !empty.Empty || len(empty.Changes) != 3 {
		t.Errorf("an empty set: %v", err)
	}
}
