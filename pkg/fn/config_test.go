package fn_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// faultsOf gives what a function says to an environment, and whether it was built all the same.
func faultsOf[C any](t *testing.T, environment map[string]string) (C, []string) {
	t.Helper()
	var got C
	see := func(_ context.Context, config C) (fn.Handler[order, struct{}], error) {
		got = config
		return idle{}, nil
	}
	_, err := fntest.Invoke(t, see, environment, do("nothing"))
	if err == nil {
		return got, nil
	}
	var faulty *fn.ConfigError
	if !errors.As(err, &faulty) {
		t.Fatalf("got %T %v, want a ConfigError", err, err)
	}
	var faults []string
	for _, fault := range faulty.Faults {
		faults = append(faults, fault.String())
	}
	return got, faults
}

type idle struct{}

func (idle) Handle(context.Context, order) (struct{}, error) { return struct{}{}, nil }

func TestAConfiguration(t *testing.T) {
	t.Parallel()

	t.Run("takes settings by prefix, and defaults", func(t *testing.T) {
		t.Parallel()
		got, faults := faultsOf[config](t, complete())
		want := config{
			Source: cluster{Brokers: []string{"source:9092"}, Wait: 5 * time.Second},
			Target: cluster{Brokers: []string{"target-1:9092", "target-2:9092"}, User: "etl", Password: secret.New(password), Wait: 5 * time.Second},
			Mode:   "fetch",
			Size:   10,
		}
		if diff := cmp.Diff(want, got); diff != "" || faults != nil {
			t.Errorf("want -, got +:\n%s\nand faults %q", diff, faults)
		}
	})

	t.Run("names all faults at once: missing, wrong, and rules between settings, with their keys and what is allowed", func(t *testing.T) {
		t.Parallel()
		_, faults := faultsOf[config](t, map[string]string{
			"SOURCE_USER":         "reader",
			"SOURCE_WAIT":         "soon",
			"TARGET_BROKERS":      "",
			"MODE":                "fech",
			"SIZE":                "5000",
			"ETL_LOG_LEVEL":       "loud",
			"ETL_DEADLINE_MARGIN": "-1s",
		})
		want := []string{
			`SOURCE_BROKERS is not set, and required: brokers, host:port`,
			`SOURCE_WAIT is "soon": want a duration such as 500ms, 30s or 1h30m`,
			`TARGET_BROKERS is empty, and required: brokers, host:port`,
			`MODE is "fech": want fetch or event`,
			`SOURCE_USER is set without SOURCE_PASSWORD`,
			`SIZE must be at most 1000`,
			`ETL_LOG_LEVEL is "loud": want debug, info, warn or error`,
			`ETL_DEADLINE_MARGIN must not be negative`,
		}
		if diff := cmp.Diff(want, faults); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("lists rules of one Validate apart, and leaves an error that only wraps others whole", func(t *testing.T) {
		t.Parallel()
		_, faults := faultsOf[strict](t, nil)
		want := []string{"first", "second", "third: fourth and fifth"}
		if diff := cmp.Diff(want, faults); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("hears a Validate that came by embedding once", func(t *testing.T) {
		t.Parallel()
		_, faults := faultsOf[struct{ Strict }](t, nil)
		if diff := cmp.Diff([]string{"one rule"}, faults); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("says which kinds of values it takes", func(t *testing.T) {
		t.Parallel()
		_, faults := faultsOf[kinds](t, map[string]string{
			"FLAG": "yes", "SMALL": "300", "COUNT": "3000000000", "NATURAL": "-1", "RATIO": "much", "MAP": "a", "TIMES": "1s,x", "LONG": strings.Repeat("x", 100),
		})
		want := []string{
			`FLAG is "yes": want true or false`,
			`SMALL is "300": want a whole number of 8 bits`,
			`COUNT is "3000000000": want a whole number of 32 bits`,
			`NATURAL is "-1": want a whole number of 64 bits, not negative`,
			`RATIO is "much": want a number`,
			`MAP is "a": want a list of key:value, separated by commas`,
			`TIMES is "1s,x": want a list, separated by commas, of: a duration such as 500ms, 30s or 1h30m`,
			fmt.Sprintf(`LONG is %q...: want a whole number of 64 bits`, strings.Repeat("x", 80)),
		}
		if diff := cmp.Diff(want, faults); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("reads structs behind a pointer that is made with init", func(t *testing.T) {
		t.Parallel()
		type inner struct {
			Name string `env:"NAME"`
		}
		type outer struct {
			Made *inner `env:",init" envPrefix:"MADE_"`
			None string `env:"-"`
		}
		got, faults := faultsOf[struct{ Outer outer }](t, map[string]string{"MADE_NAME": "n"})
		if faults != nil || got.Outer.Made == nil || got.Outer.Made.Name != "n" {
			t.Errorf("got %+v and %q, want the struct made", got, faults)
		}
	})

	t.Run("names a file that it cannot read", func(t *testing.T) {
		t.Parallel()
		type withFile struct {
			CA string `env:"CA_FILE,file" doc:"certificate"`
		}
		missing := filepath.Join(t.TempDir(), "ca.pem")
		_, faults := faultsOf[withFile](t, map[string]string{"CA_FILE": missing})
		contains(t, strings.Join(faults, "\n"), "CA_FILE is", "ca.pem", "cannot read the file it names", os.ErrNotExist.Error()[:4])
	})

	t.Run("of a type that is no struct of settings is refused before anything runs", func(t *testing.T) {
		t.Parallel()
		never := func(context.Context, int) (fn.Handler[order, struct{}], error) { return idle{}, nil }
		if _, err := fn.NewInstance("dump", never, nil, t.Output()); err == nil {
			t.Error("got no error for an int")
		}
		type listed struct {
			Clusters []cluster `envPrefix:"CLUSTER_"`
		}
		list := func(context.Context, listed) (fn.Handler[order, struct{}], error) { return idle{}, nil }
		_, err := fn.NewInstance("dump", list, nil, t.Output())
		if err == nil {
			t.Fatal("got no error for a list of structs")
		}
		contains(t, err.Error(), "configuration of dump", "Clusters")
	})
}

type strict struct{}

func (strict) Validate() error {
	return errors.Join(
		errors.New("first"),
		errors.Join(errors.New("second")),
		fmt.Errorf("third: %w and %w", errors.New("fourth"), errors.New("fifth")),
	)
}

// Strict has one rule that is always broken.
type Strict struct{}

// Validate says so.
func (Strict) Validate() error { return errors.New("one rule") }

type kinds struct {
	Flag    bool            `env:"FLAG"`
	Small   int8            `env:"SMALL"`
	Count   int             `env:"COUNT"`
	Natural uint64          `env:"NATURAL"`
	Ratio   float64         `env:"RATIO"`
	Map     map[string]int  `env:"MAP"`
	Times   []time.Duration `env:"TIMES"`
	Long    *int64          `env:"LONG"`
}

func TestASecretSetting(t *testing.T) {
	t.Parallel()

	t.Run("that cannot be read is not shown in the fault", func(t *testing.T) {
		t.Parallel()
		type secretive struct {
			Pin  int             `env:"PIN" secret:"true" doc:"four digits"`
			Word picky           `env:"WORD"`
			Plan map[string]int8 `env:"PLAN" secret:"true"`
		}
		_, faults := faultsOf[secretive](t, map[string]string{"PIN": "12E4-pin-value", "WORD": "word-value", "PLAN": "plan-value"})
		if len(faults) != 3 {
			t.Fatalf("got %q, want 3 faults", faults)
		}
		contains(t, faults[0], "PIN has a value that cannot be read (not shown): want four digits")
		lacks(t, strings.Join(faults, "\n"), "pin-value", "word-value", "plan-value")
	})

	t.Run("is kept out of the log in a list, a map, behind a pointer and in a plain field with the tag", func(t *testing.T) {
		t.Parallel()
		type many struct {
			List  []secret.String   `env:"LIST"`
			Map   map[string]string `env:"MAP" secret:"true"`
			Ptr   *secret.String    `env:"PTR"`
			Unset *secret.String    `env:"UNSET"`
			Plain string            `env:"PLAIN" secret:"true"`
		}
		values := []string{"secret-of-list-1", "secret-of-list-2", "secret-of-map", "secret-of-pointer", "secret-of-plain"}
		careless := func(ctx context.Context, config many) (fn.Handler[order, struct{}], error) {
			return nil, errors.New(strings.Join(values, " "))
		}
		_, err := fntest.Invoke(t, careless, map[string]string{
			"LIST": "secret-of-list-1,secret-of-list-2", "MAP": "key:secret-of-map", "PTR": "secret-of-pointer", "PLAIN": "secret-of-plain",
		}, do("nothing"))
		if want := "start handler: " + strings.TrimSpace(strings.Repeat("[redacted]"+" ", 5)); err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	})

	t.Run("is not shown in faults of other settings and rules either", func(t *testing.T) {
		t.Parallel()
		type chatty struct {
			Token  string `env:"TOKEN" secret:"true"`
			Number int    `env:"NUMBER"`
			Rule   leaky
		}
		_, faults := faultsOf[chatty](t, map[string]string{"TOKEN": password, "NUMBER": "of " + password})
		want := []string{`NUMBER is "of [redacted]": want a whole number of 32 bits`, "wrong password: [redacted]"}
		if diff := cmp.Diff(want, faults); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})
}

// picky is a secret of a package that does not know fn, and takes no value at all.
type picky struct{}

func (picky) Reveal() string                   { return "" }
func (*picky) UnmarshalText(text []byte) error { return fmt.Errorf("not %s", text) }

type leaky struct{}

func (leaky) Validate() error { return errors.New("wrong password: " + password) }
