package register_test

import (
	"errors"

	"carrel/broker/problem"
)

func asProblem(err error, p **problem.Error) bool { return errors.As(err, p) }
