package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones have to be known in an image without any files, too

	"github.com/robfig/cron/v3"
)

const (
	longestText   = 256                  // of an expression; a list of every minute fits
	shortestEvery = 10 * time.Second     // a pass lists a whole project
	longestEvery  = 366 * 24 * time.Hour // beyond that it is a mistake
)

// part is one element of a field: "*", "5", "MON-FRI", "*/5", "10-50/20". What
// else cron takes, such as "*-7" or "+5", means something else to its readers.
var part = regexp.MustCompile(`^(?:[*?]|[0-9A-Za-z]+(?:-[0-9A-Za-z]+)?)(?:/([0-9]{1,4}))?$`)

// field is one of the five.
type field struct {
	name string
	most int
	want string
}

var fields = []field{
	{"minute", 59, "0-59"},
	{"hour", 23, "0-23"},
	{"day of the month", 31, "1-31"},
	{"month", 12, "1-12 or JAN-DEC"},
	{"day of the week", 6, "0-6 or SUN-SAT, Sunday being 0"},
}

var shorthands = []string{"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}

// Parse reads five fields as in a crontab, one of cron's shorthands such as
// "@hourly", or "@every" and a duration of whole seconds from 10s on. The zone
// is a name of the IANA database, "" meaning UTC. What would never run, or
// would silently mean something else, is refused; the error says what is right.
func Parse(expression, zone string) (Schedule, error) {
	text := strings.Join(strings.Fields(expression), " ")
	s, err := parse(text)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w", shown(text), err)
	}
	s.text = text
	if s.zone, err = location(zone); err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w", text, err)
	}
	return s, nil
}

func shown(text string) string {
	if len(text) > longestText {
		return text[:40] + "..."
	}
	return text
}

func parse(text string) (Schedule, error) {
	upper := strings.ToUpper(text)
	switch {
	case text == "":
		return Schedule{}, errors.New(`it is empty: want five fields such as "*/5 * * * *", or "@every 5m"`)
	case len(text) > longestText:
		return Schedule{}, fmt.Errorf("it is longer than %d characters", longestText)
	case strings.HasPrefix(upper, "TZ=") || strings.HasPrefix(upper, "CRON_TZ="):
		return Schedule{}, errors.New(`a time zone does not go into the expression: set it apart, as in "time_zone: Europe/Berlin"`)
	case text == "@every" || strings.HasPrefix(text, "@every "):
		return parseEvery(strings.TrimSpace(strings.TrimPrefix(text, "@every")))
	case text == "@reboot":
		return Schedule{}, errors.New("there is a first pass at every start anyway: say how often passes are to follow, as in \"@every 5m\"")
	case slices.Contains(shorthands, text):
	case strings.HasPrefix(text, "@"):
		return Schedule{}, fmt.Errorf("it is not known: want %s, @every and a duration, or five fields", strings.Join(shorthands, ", "))
	default:
		if err := checkFields(strings.Split(text, " ")); err != nil {
			return Schedule{}, err
		}
	}
	return parseWall(text)
}

func parseEvery(text string) (Schedule, error) {
	every, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return Schedule{}, fmt.Errorf(`%q is no duration: want one such as "@every 5m" or "@every 1h30m"`, text)
	case every < shortestEvery || every > longestEvery:
		return Schedule{}, fmt.Errorf("%s is out of range: want between %s and %dh", every, shortestEvery, int(longestEvery.Hours()))
	case every%time.Second != 0:
		return Schedule{}, fmt.Errorf("%s is too fine: want whole seconds", every)
	}
	return Schedule{every: every}, nil
}

// parseWall hands on what was looked at before: cron panics at "TZ=UTC".
func parseWall(text string) (Schedule, error) {
	parsed, err := cron.ParseStandard(text)
	if err != nil {
		return Schedule{}, err
	}
	wall, is := parsed.(*cron.SpecSchedule)
	if !is {
		return Schedule{}, fmt.Errorf("cron reads it as a %T", parsed)
	}
	if nextShown(wall, time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Schedule{}, errors.New("it never comes: no such day is in the calendar")
	}
	const everyHour = 1<<24 - 1
	return Schedule{wall: wall, hourly: wall.Hour&everyHour == everyHour}, nil
}

func checkFields(texts []string) error {
	const want = "want five fields: minute, hour, day of the month, month, day of the week"
	if len(texts) == len(fields)+1 {
		return errors.New("it has six fields, and seconds are not known: " + want + `; or "@every 30s"`)
	}
	if len(texts) != len(fields) {
		return errors.New(want)
	}
	for i, text := range texts {
		if err := fields[i].check(i, text); err != nil {
			return err
		}
	}
	return nil
}

// check looks at one field. Whether the numbers in it are in range is for cron
// to say, with stars in the other fields.
func (f field) check(place int, text string) error {
	stars := strings.Split("* * * * *", " ")
	for _, element := range strings.Split(text, ",") {
		match := part.FindStringSubmatch(element)
		if match == nil {
			return f.refuse(text)
		}
		stars[place] = element
		if _, err := cron.ParseStandard(strings.Join(stars, " ")); err != nil {
			return f.refuse(text)
		}
		if step, _ := strconv.Atoi(match[1]); step > f.most {
			return fmt.Errorf("%s %q: a step of %d is never taken: want at most %d", f.name, text, step, f.most)
		}
	}
	return nil
}

func (f field) refuse(text string) error {
	return fmt.Errorf(`%s %q: want *, %s, a range such as 1-5, a list such as 1,3 or a step such as */2`, f.name, text, f.want)
}

func location(zone string) (*time.Location, error) {
	if zone == "" || zone == "UTC" {
		return time.UTC, nil
	}
	found, err := time.LoadLocation(zone)
	if err != nil || found == time.Local {
		return nil, fmt.Errorf(`time zone %q is not known: want a name such as "Europe/Berlin", or none for UTC`, shown(zone))
	}
	return found, nil
}
