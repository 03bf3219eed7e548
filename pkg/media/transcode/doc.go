// Package transcode does jobs of package media on objects of COS: once for each version of an
// input, however often a job is delivered, and whatever kills it.
//
// # Objects
//
//	transcoded/KEY/PRESET.EXT            outputs of the object KEY; of HLS KEY/PRESET/index.m3u8
//	transcode.failed/KEY/ID.json         the dead letter: what failed, why, the last lines of stderr
//	transcode.work/ID/...                the state of what is under way; removed at its end
//
// These prefixes are settings. Nothing below them is ever an input, and nothing that has the
// mark of an output: so no output starts a job, wherever it was copied to.
//
// # Once
//
// An output has an identity: input, ETag of the input, preset with all its options, key of the
// output. It is in the metadata of the output (etl-job), beside the input and its version in
// words. A job whose output has that identity does nothing. An output is an upload that is
// completed only after it was checked (package media), and only while the input is still the
// version that was read: so what is there is whole, and of a newer version an older one is no
// successor. Where there is no output yet, it is made with a conditional create: of two deliveries
// at the same moment one makes it, and the other finds it done.
//
// A process that dies leaves an attempt, an object in transcode.work. A job whose attempts are used
// up goes to the dead letter, because it is what kills the process. An attempt counts only once the
// deadline of its invocation is over, because until then it may be another delivery that is still
// at work: so a job that is killed early goes to the dead letter no sooner than that. It is of
// the same outputs of the same version; a request for others has its own.
//
// # Long jobs
//
// A video that is longer than SplitOver is split, and its pieces are messages:
//
//	transcode.work/ID/SPLIT/chunk/N    the video of the input, cut before key frames
//	transcode.work/ID/plan.json        made when all chunks are there, only where there is none; it
//	                                   names SPLIT, which each delivery that splits has of its own
//	transcode.work/ID/SPLIT/piece/N    what was made of a chunk, or of the audio; only where there is none
//	transcode.work/ID/SPLIT/join.json  who joins them; only where there is none
//
// Each but the chunks is made with a conditional create, so of two deliveries of a message one has an
// effect. Of deliveries that split at once the plan names the chunks of one; another
// removes its own, and no chunk that a plan names is removed before the job ends.
// Whoever finishes a piece looks whether all are there. The first to make join.json joins them; if
// it is killed, its message is delivered again and finds its own name in join.json, and goes
// on. Others have nothing more to do. The output has the identity as every other, and with it there a
// delivery only removes what is left below ID: the plan first, so that a chunk or a piece that is
// missing while the plan is there was removed by somebody else. Such a job goes to the dead letter.
package transcode
