package register_test

import (
	"os"
	"testing"

	"carrel/broker/service/servicetest"
)

//nolint:gochecknoglobals // the city that the tests of this binary share
var moulds = servicetest.NewMoulds()

func TestMain(m *testing.M) { os.Exit(moulds.Run(m)) }
