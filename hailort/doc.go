// Package hailort runs networks on a Hailo-10H through HailoRT, as the backend
// of a worker. HailoRT is C++, and for this device only C++: shim.h is a face of
// plain C over it, which the rest of the package calls. It is built with the tag
// hailort, against the installed headers (make worker-hailort) or against the
// test double in double/, which it cannot tell apart.
package hailort
