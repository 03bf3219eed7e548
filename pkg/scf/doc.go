// Package scf is the platform as data: what serverless.yml says, what Tencent SCF allows, and what it costs.
//
// [Load] reads serverless.yml with its variables, to the same result as `sls print` of Serverless Framework 3.40, into a
// [Service] of functions ([Function]) and what triggers them ([Trigger]), every default filled in. [Service.Lint] holds it
// against the limits of the platform, and [Cron] says when a timer fires. The limits are constants here, each with the page
// of the SCF manual that states it (583/N is page N of the manual, 583/18586 page 18586 of its API part); what runs or
// deploys functions takes them from here.
//
// The package reads no environment and runs nothing: [Options] carries all that a configuration depends on besides the
// files of its folder.
package scf
