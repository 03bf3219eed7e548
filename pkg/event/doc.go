// Package event holds the events that triggers of Tencent SCF send to a function, one file a trigger:
// CKafka, timer, COS and function URL.
//
// Every event type decodes itself with UnmarshalJSON, checks what a function relies on, and reports a
// payload that is not such an event as a [*DecodeError] with the byte offset, the record and the field.
// Every event type also encodes itself to what the platform sends, so that the local platform and tests
// use the same shapes; [Sample] gives one payload of each.
//
// The shapes are those of the SCF manual, "Trigger Event Message Structure Summary" (583/31439), and the
// page of each trigger.
package event
