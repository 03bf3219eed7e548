// Package api is the API of Tencent SCF over the local platform: what `sls
// deploy` and the official SDKs call, on this machine. It is an http.Handler:
//
//	server, err := api.New(ctx, api.Config{Platform: p, Keys: keys, State: folder})
//	defer server.Close()
//	err = http.ListenAndServe("localhost:9583", server)
//
// Requests are POST with JSON, signed by TC3-HMAC-SHA256, of the version
// 2018-04-16. The table of actions is in actions.go. Answers have the service's
// shapes, and its codes of errors; the words are this package's own.
//
// A function that is created or updated is Creating or Updating for
// [Config.ChangeTime] at least, and in that time refuses everything but to be
// looked at: clients have to poll GetFunction until it is Active, as in the cloud.
// What then fails is told by the status and its reasons.
//
// Code is unpacked and deployed by [emulator.Platform.Deploy], as `etl up` does
// it. Settings that the local platform does nothing with, such as a role, a
// network or layers, are checked for their shape, kept and given back. Triggers of
// kinds that are not driven here are checked and listed, with the AvailableStatus
// NotDriven.
//
// The state is kept in [Config.State]: each change of a function is one rename of
// one file, made durable before the answer, so that kill -9 at any point leaves
// the function as it was or as it was to be. What was under way is finished by the
// next start. Where Kafka triggers are is in their clusters.
//
// What no document states is marked [?].
package api
