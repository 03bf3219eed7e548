package main

import (
	"context"
	"fmt"
	"os"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// result is a case: medians of its rounds, in seconds.
type result struct {
	name                 string
	plainWall, plainCPU  float64
	bucketWall, spentCPU float64
	early                float64
}

type report struct {
	results []result
	options page.Options
}

// measure runs both ways of each case in turns; in each round another one is first.
func measure(ctx context.Context, o page.Options) (report, error) {
	r := report{options: o}
	var chosen []string
	for _, name := range presets {
		if o.Cases.MatchString(name) {
			chosen = append(chosen, name)
		}
	}
	if len(chosen) == 0 {
		return r, nil
	}
	s, err := newStage(ctx, o.Scale)
	if err != nil {
		return r, err
	}
	defer s.close()
	for _, name := range chosen {
		result, err := s.rounds(ctx, media.Presets()[name], o.Rounds)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		r.results = append(r.results, result)
	}
	return r, nil
}

func (s *stage) rounds(ctx context.Context, preset media.Preset, rounds int) (result, error) {
	var walls, cpus [2][]float64
	var early []float64
	for round := range rounds {
		for i := range 2 {
			way := (i + round) % 2
			run := s.plain
			if way == 1 {
				run = s.fromBucket
			}
			c, err := run(ctx, preset)
			if err != nil {
				return result{}, err
			}
			fmt.Fprintf(os.Stderr, "%s, round %d, %s: %.2f s, %.2f s of the processor\n", preset.Name, round+1,
				[]string{"plain", "bucket"}[way], c.wall.Seconds(), c.cpu.Seconds())
			walls[way], cpus[way] = append(walls[way], c.wall.Seconds()), append(cpus[way], c.cpu.Seconds())
			if way == 1 {
				early = append(early, c.early)
			}
		}
	}
	return result{
		name: preset.Name, plainWall: page.Median(walls[0]), bucketWall: page.Median(walls[1]),
		plainCPU: page.Median(cpus[0]), spentCPU: page.Median(cpus[1]), early: page.Median(early),
	}, nil
}

// most is how much longer than plain ffmpeg a job may take.
const most = 0.05

func (r report) bars() []page.Bar {
	var bars []page.Bar
	for _, one := range r.results {
		over := one.bucketWall/one.plainWall - 1
		if one.name != "audio-mp3" { // a second or two: the time to start three processes is most of what is added
			bars = append(bars, page.Bar{Wanted: one.name + ": at most 5 % longer than plain ffmpeg",
				Measured: fmt.Sprintf("%+.1f %%", 100*over), Met: over <= most})
			more := one.spentCPU/one.plainCPU - 1
			bars = append(bars, page.Bar{Wanted: one.name + ": at most 5 % more of the processor",
				Measured: fmt.Sprintf("%+.1f %%", 100*more), Met: more <= most})
		}
		bars = append(bars, page.Bar{Wanted: one.name + ": the first byte is put before the last is read",
			Measured: fmt.Sprintf("%.0f %% were read", 100*one.early), Met: one.early < 1})
	}
	return bars
}

func (r report) render(markdown bool) string {
	lines := page.Table{{"case", "plain s", "bucket s", "longer", "plain CPU s", "bucket CPU s", "more CPU", "read at the first byte"}}
	for _, one := range r.results {
		lines = append(lines, []string{one.name,
			fmt.Sprintf("%.2f", one.plainWall), fmt.Sprintf("%.2f", one.bucketWall), fmt.Sprintf("%+.1f %%", 100*(one.bucketWall/one.plainWall-1)),
			fmt.Sprintf("%.2f", one.plainCPU), fmt.Sprintf("%.2f", one.spentCPU), fmt.Sprintf("%+.1f %%", 100*(one.spentCPU/one.plainCPU-1)),
			fmt.Sprintf("%.0f %%", 100*one.early)})
	}
	return fmt.Sprintf("%s\n%s\nOn %s; %d rounds, medians; %.0f s of 1080p.\n\n", lines.Render(markdown), page.Bars(r.bars()).Render(markdown),
		page.Machine(), r.options.Rounds, seconds*r.options.Scale)
}

func (r report) write(path string) error { return page.Write(path, page.Media, r.render(true)) }
