//go:build linux && cgo

package worker

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"carrel/sandbox/wire"
)

// socket is the child's end. It uses plain blocking calls: recvmsg, because descriptors may come with any byte, and write.
type socket struct {
	fd  int
	oob []byte
	fds []int // received and not yet taken
}

// newSocket wraps the inherited descriptor.
func newSocket(fd int) *socket {
	return &socket{fd: fd, oob: make([]byte, unix.CmsgSpace(4*wire.MaxTables))}
}

// Read reads bytes and keeps descriptors that come with them.
func (s *socket) Read(p []byte) (int, error) {
	for {
		n, oobn, flags, _, err := unix.Recvmsg(s.fd, p, s.oob, unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("receive: %w", err)
		}
		if oobn > 0 {
			if err := s.keep(s.oob[:oobn]); err != nil {
				return 0, err
			}
		}
		if flags&unix.MSG_CTRUNC != 0 {
			return 0, fmt.Errorf("%w: too many descriptors", wire.ErrFrame)
		}
		if n == 0 && len(p) > 0 {
			return 0, io.EOF
		}
		return n, nil
	}
}

// keep parses control messages.
func (s *socket) keep(oob []byte) error {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return fmt.Errorf("%w: control message", wire.ErrFrame)
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return fmt.Errorf("%w: control message", wire.ErrFrame)
		}
		s.fds = append(s.fds, fds...)
	}
	if len(s.fds) > wire.MaxTables {
		return fmt.Errorf("%w: too many descriptors", wire.ErrFrame)
	}
	return nil
}

// take hands over the received descriptors.
func (s *socket) take() []int {
	fds := s.fds
	s.fds = nil
	return fds
}

// send writes one frame.
func (s *socket) send(k wire.Kind, header any, payload []byte) error {
	f, err := wire.New(k, header, payload, 0)
	if err != nil {
		return err
	}
	for b := f.Bytes(); len(b) > 0; {
		n, err := unix.Write(s.fd, b)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("send: %w", err)
		}
		b = b[n:]
	}
	return nil
}
