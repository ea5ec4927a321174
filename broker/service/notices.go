package service

import (
	"carrel/anonymize/deid"
	"carrel/broker/application"
	"carrel/broker/grant"
	"carrel/broker/handover"
	"carrel/broker/notice"
)

// notices makes the use cases of notices and lets every desk that is handed out from here on tell of its steps.
func (s *Service) notices() error {
	ring, err := deid.InitKeyRing(s.c.path("keys"), "notices") // made where a data directory is older than notices
	if err != nil {
		return err
	}
	secret, err := ring.Key("notices")
	if err != nil {
		return err
	}
	s.Notices, err = notice.New(notice.Config{
		Desk: s.Desk, People: s.Directory, Mailer: s.c.Mail, Client: notice.HookClient(s.c.HooksInside), Secret: secret[:], BaseURL: s.c.BaseURL, Logger: s.c.Logger,
		Finders: map[string]notice.Finder{
			"application": notice.Find[application.Application](application.DocKind), "grant": notice.Find[grant.Grant](grant.DocKind),
			"handover": notice.Find[handover.Handover](handover.DocKind),
		},
	})
	if err != nil {
		return err
	}
	s.Desk.Notices = s.Notices
	return nil
}
