// Package live serves a page that shows runs while they run.
//
// A [Server] reads run folders as any reader does and never makes the writer wait. What it shows is
// drawn once per change for all readers, and drawing takes at most 0.5 % of the time, so that
// many readers cost a run no more than one.
//
// # Control
//
// A running program leaves a heartbeat ([Beat]) in its run folder and takes orders from there
// ([Order]); both are small files beside run.db that vanish with the program. So one page controls
// runs of other processes, and a page that breaks down cannot break a run.
//
// # Security
//
// Every request passes the same checks, in this order: the Host header is one the server answers to
// (421 against DNS rebinding), a request that changes something comes from the page's own origin (403),
// requests are not too many (429; strangers have a count of their own), the path is plain (404), the token or the session is right (401), the
// body is small (413). A token in an address works once: the browser gets a cookie for it. Beyond
// loopback the server wants TLS.
package live
