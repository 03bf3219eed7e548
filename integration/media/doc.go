// Package media runs the built function transcode on the local platform: killed in the middle of
// its jobs, and by the commands of its README.
package media
