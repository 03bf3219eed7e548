// Package media looks into media files and transcodes them with FFmpeg, which it
// runs as a child process: without a shell, with arguments as a list, and with
// nothing of what a user or a file says in them but numbers that were checked.
//
// # The way of the data
//
//		Source ──> first bytes ──> format, one of a list ──> ffprobe ──> limits
//		Source ──> pipe:0 or file:input ──> ffmpeg ──> pipe:1 ──┬──> Put
//		                                                        └──> ffprobe, every packet
//
//	 1. The format is told by the first bytes (see [Sniff]), by this package and not by
//	    FFmpeg: one of a list of containers that hold their media themselves. A playlist
//	    (HLS, DASH, concat) or a picture is none of them, and no process is started for it.
//	    FFmpeg is then given that one demuxer, with -format_whitelist and
//	    -protocol_whitelist, so it can neither guess another one nor open anything but its
//	    input: no network, and no file where the input is a pipe.
//	 2. The input goes through a pipe where its format can be read from the front: all but
//	    an MP4 whose index is behind its media, and WAV, AVI and FLV need none. Otherwise it is
//	    copied into the folder of the job, within the budget for temporary files, and read
//	    there under a fixed name.
//	 3. ffprobe says what is in it, and [Limits] are held against that before anything is
//	    decoded: length, pixels, frame rate, number of streams. A duration that the header
//	    does not have is counted packet by packet, which reads the input once more.
//	 4. ffmpeg writes to a pipe, and [Put] reads from it while the input is still read. The
//	    same bytes go to an ffprobe that counts every packet. Put gets the end of the stream
//	    only after ffmpeg has ended with 0 and what was counted has the streams that
//	    were wanted and the duration of the input, within 2 %. Otherwise it gets an error in
//	    place of the end. An upload in parts is completed at the end of its stream, so an
//	    output that fails the check was never to be seen: there is no temporary
//	    object, no copy, and nothing to remove after a kill.
//	 5. Segments, of HLS and of an input that is split, are files of the job's folder. Each is put as
//	    soon as it is complete and then removed; what names them, the playlist, is put last.
//
// # The child
//
// It has a process group of its own, which is killed when the context ends, and dies
// with this process. Its environment is empty but for LD_LIBRARY_PATH, so no secret can
// get into it. Memory, processor time, size of a file and number of files are bounded by
// rlimits, which are set before it is given the first byte of its input. The last of what it
// writes to stderr is kept in the error, [ProcessError], beside its exit code.
//
// # Errors
//
// A fault of the input is an [InputError]: repeating does not help, so it belongs into the
// dead letter. Any other error is of the machine, the object store or the time that was
// given, and the same job may work later.
package media
