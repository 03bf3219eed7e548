package scf

import (
	"errors"
	"fmt"
)

// timer checks a timer trigger.
func (l *linter) timer(t TimerTrigger, path string) {
	switch {
	case t.Name == "":
		l.add(Error, "name is missing", TimerNames, "name the trigger: name: hourly", path+".name")
	case !ValidTimerName(t.Name):
		l.add(Error, "is refused as the name of a timer", TimerNames, "", path+".name")
	}
	if size := len(t.Argument); size > MaxTimerArgument {
		l.add(Error, fmt.Sprintf("has %d bytes", size), fmt.Sprintf("at most %d", MaxTimerArgument),
			"put it into an object, and give its name", path+".argument")
	}
	l.cron(t.Cron, path+".cron")
}

// cron checks when a timer fires.
func (l *linter) cron(text, path string) {
	if text == "" {
		l.add(Error, "cron is missing", CronForms, "every hour is cron: '0 0 * * * * *'", path)
		return
	}
	c, err := ParseCron(text)
	var wrong *CronError
	if errors.As(err, &wrong) {
		severity, fix := Error, ""
		if wrong.Unknown {
			severity, fix = Warning, "write it without: etl up cannot drive it"
		}
		message := wrong.Problem
		if wrong.Field != "" {
			message = wrong.subject() + " " + wrong.Problem
		}
		l.add(severity, message, wrong.Allowed, fix, path)
		return
	}
	if _, again := c.Next(l.service.now); !again {
		l.add(Warning, "never fires again: its years are over", "", "name a year to come, or *", path)
	}
}
