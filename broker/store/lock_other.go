//go:build !unix

package store

import (
	"errors"
	"os"
)

// lockDirectory refuses: without a lock that dies with its process two services could share a directory.
func lockDirectory(string) (*os.File, error) {
	return nil, errors.New("store: the service runs on Linux; this system has no lock that ends with its process")
}

func unlockDirectory(f *os.File) error { return f.Close() }
