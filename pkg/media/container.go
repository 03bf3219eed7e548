package media

// Container is the form of an output.
type Container string

// The containers. What can be written to a pipe is uploaded while it is made, and its size is
// not bounded by the room for temporary files: so MP4 and M4A are fragmented (ISO 14496-12,
// 8.8), as browsers, players and FFmpeg read them. ContainerFaststart is an MP4 with one index at
// its begin, for what reads no other: FFmpeg writes that last, so the whole is a temporary
// file, and so is a GIF.
const (
	ContainerMP4       Container = "mp4"
	ContainerFaststart Container = "mp4-faststart"
	ContainerM4A       Container = "m4a"
	ContainerMP3       Container = "mp3"
	ContainerWebM      Container = "webm"
	ContainerTS        Container = "ts"
	ContainerGIF       Container = "gif"
	ContainerJPEG      Container = "jpg"
	ContainerPNG       Container = "png"
	ContainerHLS       Container = "hls" // segments of MPEG-TS, and a playlist
)

// form is how FFmpeg writes a container, and how the check reads it.
type form struct {
	muxer     []string
	demuxer   string
	whitelist string
	media     string   // type
	codecs    []string // encoders of its streams
	local     bool     // FFmpeg seeks in it, or reads it only where it can
}

// forms are those of all containers.
func forms() map[Container]form {
	fragmented := []string{"-f", "mp4", "-movflags", "+frag_keyframe+delay_moov+default_base_moof"}
	// why: sound alone has no key frames that would end a fragment
	sound := []string{"-f", "mp4", "-movflags", "+delay_moov+default_base_moof", "-frag_duration", "2000000"}
	mov := "mov,mp4,m4a,3gp,3g2,mj2"
	return map[Container]form{
		ContainerMP4:       {fragmented, "mov", mov, "video/mp4", []string{"libx264", "libx265", "libsvtav1", "aac", "libmp3lame", "libopus"}, false},
		ContainerFaststart: {[]string{"-f", "mp4", "-movflags", "+faststart"}, "mov", mov, "video/mp4", []string{"libx264", "libx265", "libsvtav1", "aac", "libmp3lame", "libopus"}, true},
		ContainerM4A:       {sound, "mov", mov, "audio/mp4", []string{"aac"}, false},
		ContainerMP3:       {[]string{"-f", "mp3", "-write_xing", "0"}, "mp3", "mp3", "audio/mpeg", []string{"libmp3lame"}, false},
		ContainerWebM:      {[]string{"-f", "webm"}, "matroska", "matroska,webm", "video/webm", []string{"libvpx", "libvpx-vp9", "libsvtav1", "libopus", "libvorbis"}, false},
		ContainerTS:        {[]string{"-f", "mpegts"}, "mpegts", "mpegts", "video/mp2t", []string{"libx264", "aac", "libmp3lame"}, false},
		ContainerGIF:       {[]string{"-f", "gif"}, "gif", "gif", "image/gif", []string{"gif"}, true},
		ContainerJPEG:      {[]string{"-f", "image2pipe"}, "jpeg_pipe", "jpeg_pipe", "image/jpeg", []string{"mjpeg"}, false},
		ContainerPNG:       {[]string{"-f", "image2pipe"}, "png_pipe", "png_pipe", "image/png", []string{"png"}, false},
		ContainerHLS:       {nil, "mpegts", "mpegts", "application/vnd.apple.mpegurl", []string{"libx264", "aac", "libmp3lame"}, false},
	}
}

func (c Container) form() form { return forms()[c] }

// picture says whether it holds one picture, without a duration.
func (c Container) picture() bool { return c == ContainerJPEG || c == ContainerPNG }

// Extension is what the name of an output ends with: ".mp4". That of HLS is that of its playlist.
func (c Container) Extension() string {
	switch c {
	case ContainerHLS:
		return ".m3u8"
	case ContainerFaststart:
		return ".mp4"
	}
	return "." + string(c)
}

// MediaType is the Content-Type of an output; of HLS that of the playlist.
func (c Container) MediaType() string { return c.form().media }
