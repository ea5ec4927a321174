package deid

import (
	"io/fs"
	"runtime"
)

// private says whether only the owner can read a file. Windows has no such bits; keys are used on servers.
func private(m fs.FileMode) bool { return runtime.GOOS == "windows" || m.Perm()&0o077 == 0 }
