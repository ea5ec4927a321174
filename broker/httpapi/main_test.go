package httpapi_test

import (
	"os"
	"testing"

	"carrel/broker/service/servicetest"
)

var moulds = servicetest.NewMoulds() //nolint:gochecknoglobals // one city a test binary

func TestMain(m *testing.M) { os.Exit(moulds.Run(m)) }
