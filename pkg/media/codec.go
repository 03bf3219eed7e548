package media

import "strings"

// decoders are those that an input may need; FFmpeg has some hundred more, of games and of
// cameras, that nobody looks at. It refuses a stream of another codec (-codec_whitelist).
func decoders() string {
	return strings.Join([]string{
		"h264", "hevc", "vp8", "vp9", "libvpx", "libvpx-vp9", "av1", "libdav1d", "libaom-av1", "mpeg1video", "mpeg2video", "mpegvideo",
		"mpeg4", "msmpeg4", "msmpeg4v2", "h263", "flv", "vp6", "vp6f", "theora", "mjpeg", "prores", "dnxhd", "dvvideo", "rawvideo", "png", "gif", "ffv1",
		"aac", "aac_fixed", "aac_latm", "mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "ac3", "ac3_fixed", "eac3", "dca", "opus", "libopus", "vorbis", "libvorbis",
		"flac", "alac", "speex", "libspeex", "nellymoser", "amrnb", "amrwb", "wmav1", "wmav2", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "adpcm_swf",
		"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_u8", "pcm_s8", "pcm_alaw", "pcm_mulaw",
		"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "dvbsub", "dvdsub", "pgssub", "cc_dec", "text",
	}, ",")
}
