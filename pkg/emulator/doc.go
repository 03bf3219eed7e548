// Package emulator is the platform on this machine: it runs built functions as
// Tencent SCF runs them and drives them by their triggers.
//
// A function is a binary that speaks scf-go-lib's protocol. The platform starts
// it as a child process, hands events to it over net/rpc, keeps the process
// warm for the next one, and kills it when it outlives its deadline, takes more
// than its memory or answers nonsense. It knows no function of this project:
// what runs here is the file that is deployed to the cloud.
//
// A platform is made, given functions, and run:
//
//	p, err := emulator.New(emulator.Config{Clusters: ...})
//	defer p.Close()
//	err = p.Deploy(ctx, function, "bin/dump") // the folder that would be zipped
//	err = p.Run(ctx)                          // drives the triggers until ctx ends
//
// Invoke calls a function by hand, with Run or without. Publish makes a version of
// what is deployed, and SetAlias routes invocations between versions, those of
// triggers too.
//
// # Where it is like the cloud
//
// [Rules] lists what the platform keeps to, with the page that says so; each is
// a test that drives a built binary. README.md has them as a table, with the
// settings and the tests. What no document states is a setting,
// marked [?], with the default written beside it in [Config], [KafkaConfig] and
// [AsyncConfig].
//
// # Where it is not
//
//   - Memory is sampled (Config.MemorySample) and a process killed when it holds
//     too much; the cloud kills in the moment. Only Linux tells, elsewhere there
//     is no limit.
//   - The disk is not bounded: /tmp has 512 MB in the cloud. TMPDIR is a folder
//     of the instance, and is removed with it; a fixed path under /tmp is shared.
//   - A process goes on between invocations, where the cloud freezes it.
//   - The limit of invocations at once is that of a version, where the cloud's is
//     that of the function.
//   - CKafka triggers and timers are driven; triggers of COS and URLs are not.
//   - A timer does not make up for what was due while the platform, or this
//     machine, was off; asynchronous events that wait to be sent again end with
//     the platform.
//   - On Linux no function outlives the platform, not even after kill -9 of it;
//     a process that a function has started may then, and otherwise only where it
//     has left the function's process group. Elsewhere kill -9 leaves functions.
//
// It is for a laptop and for tests. It does not spread over machines: that is
// what the cloud is for.
package emulator
