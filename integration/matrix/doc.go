// Package matrix tests the built function dump between releases of Kafka, each
// as the source and as the target, with the record formats that each can hold.
// README.md has what it found, as tables; make matrix fails where they differ.
//
//	make matrix
//	make matrix SOURCES=0.10.2.2,4.2.0 TARGETS=1.1.1
package matrix
