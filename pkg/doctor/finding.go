package doctor

import "fmt"

// Status says what comes of a finding.
type Status string

// The statuses.
const (
	OK   Status = "ok"   // nothing to do
	Warn Status = "warn" // a copy works, and may one day not do what was meant
	Fail Status = "fail" // a copy does not work
	Skip Status = "skip" // could not be found out, or there was nothing to check
)

// Finding is one line of a report.
type Finding struct {
	Check  string `json:"check"` // what was looked at
	Status Status `json:"status"`
	Found  string `json:"found"`         // in words; never a secret
	Fix    string `json:"fix,omitempty"` // what to do, often a command
}

// Section is what was found about one thing.
type Section struct {
	Title    string    `json:"section"`
	Findings []Finding `json:"findings"`
}

// Report is everything that was found, in the order to read it in.
type Report []Section

// Count gives how many findings have a status.
func (r Report) Count(status Status) int {
	n := 0
	for _, section := range r {
		for _, f := range section.Findings {
			if f.Status == status {
				n++
			}
		}
	}
	return n
}

func (s *Section) add(status Status, check, fix, found string, args ...any) {
	s.Findings = append(s.Findings, Finding{Check: check, Status: status, Fix: fix, Found: fmt.Sprintf(found, args...)})
}

func (s *Section) ok(check, found string, args ...any) { s.add(OK, check, "", found, args...) }

func (s *Section) skip(check, found string, args ...any) { s.add(Skip, check, "", found, args...) }

func (s *Section) warn(check, fix, found string, args ...any) {
	s.add(Warn, check, fix, found, args...)
}

func (s *Section) fail(check, fix, found string, args ...any) {
	s.add(Fail, check, fix, found, args...)
}
