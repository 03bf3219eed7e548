// Package doctor finds out what a machine, a serverless.yml and two clusters
// allow a copy to do, and says for everything that is in its way how to mend
// it.
//
// It asks and does not change: no topic is created, no record is written, no
// offset is committed and no group is joined. One thing does leave a trace:
// whether the user may use transactional ids can only be found out by using
// one, so [Run] fences etl.JOB.doctor in the target, which no copy has; the
// broker forgets it after transactional.id.expiration.ms.
package doctor
