package main

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/secret"
	"github.com/scf-etl/scf-etl/pkg/webhook"
)

// Config is read from the function's environment.
type Config struct {
	Report string `env:"REPORT" doc:"file that describes the report, instead of the one that was built in from functions/report/report.yaml"`

	COS     cos.Place     `envPrefix:"COS_"`
	Dataset string        `env:"DATASET" envDefault:"dataset" doc:"folder of the dataset in the bucket, as COS_PREFIX of the function load"`
	Pages   string        `env:"PAGES" envDefault:"reports" doc:"folder of the pages in the bucket"`
	Link    time.Duration `env:"LINK" envDefault:"72h" doc:"how long links to the page work, up to 168h; with the function's role not longer than its temporary key"`

	Webhook     secret.String `env:"WEBHOOK_URL" doc:"address that gets a summary with the links; empty: none does"`
	WebhookForm webhook.Form  `env:"WEBHOOK_FORM" envDefault:"json" doc:"form of the summary: json, wecom (企业微信), slack"`
}

const maxLink = 7 * 24 * time.Hour

// Validate checks what concerns more than one setting.
func (c Config) Validate() error {
	var faults []error
	for name, folder := range map[string]string{"DATASET": c.Dataset, "PAGES": c.Pages} {
		if clean := strings.Trim(path.Clean("/"+folder), "/"); clean == "" || clean != strings.Trim(folder, "/") {
			faults = append(faults, fmt.Errorf("%s is %q: want a folder of the bucket, as reports", name, folder))
		}
	}
	if within(c.Pages, c.Dataset) {
		faults = append(faults, fmt.Errorf("PAGES is %q: want a folder outside of the dataset %q", c.Pages, c.Dataset))
	}
	if c.Link < time.Minute || c.Link > maxLink {
		faults = append(faults, fmt.Errorf("LINK is %v: want 1m to 168h", c.Link))
	}
	if !c.Webhook.Empty() {
		if err := (webhook.Hook{URL: c.Webhook}).Check(); err != nil {
			faults = append(faults, fmt.Errorf("WEBHOOK_URL: %w", err))
		}
	}
	return errors.Join(faults...)
}

func within(folder, other string) bool {
	return strings.HasPrefix(strings.Trim(folder, "/")+"/", strings.Trim(other, "/")+"/")
}
