package notice

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// The bounds of an address and of guesses at its code.
const (
	maxAddress = 254 // RFC 5321
	maxGuesses = 5
)

// Channel is how a person hears of notices beside the inbox.
type Channel struct {
	Account   string        `json:"account"`
	Address   store.TextRef `json:"address"`
	Confirmed bool          `json:"confirmed"`
	Guesses   int           `json:"guesses"`
}

// ChannelView is what a person sees of her own channel.
type ChannelView struct {
	Address   string `json:"address"` // "" is none: the inbox only
	Confirmed bool   `json:"confirmed"`
}

func (s *Service) mayChannel(ctx context.Context, id auth.Identity) (policy.Decision, error) {
	return s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "notice.channel"})
}

// Channel shows a person's own channel.
func (s *Service) Channel(ctx context.Context, id auth.Identity) (*ChannelView, error) {
	v := new(ChannelView)
	err := s.desk.Browse(ctx, id, act.Step{Kind: "notice.channel-viewed", Object: "notices"}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.mayChannel(ctx, id)
		if err != nil {
			return dec, err
		}
		v, err = s.view(ctx, tx, id.Account)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (s *Service) view(ctx context.Context, tx *store.Tx, account string) (*ChannelView, error) {
	ch := new(Channel)
	if _, err := tx.Get(ctx, channelKind, account, ch); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return new(ChannelView), nil
		}
		return nil, fmt.Errorf("notice: channel: %w", err)
	}
	address, err := s.address(ctx, tx, ch)
	return &ChannelView{Address: address, Confirmed: ch.Confirmed && address != ""}, err
}

// address is a channel's address; "" when there is none or it was erased.
func (s *Service) address(ctx context.Context, tx *store.Tx, ch *Channel) (string, error) {
	if ch.Address.ID == "" {
		return "", nil
	}
	a, err := tx.GetText(ctx, ch.Address.ID)
	if errors.Is(err, store.ErrErased) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("notice: address: %w", err)
	}
	return a, nil
}

// SetAddress takes a person's address in place of the one before, which is erased, and sends a code to it; "" takes it away.
// Nothing but the code goes to an address before Confirm.
func (s *Service) SetAddress(ctx context.Context, id auth.Identity, address string) (*ChannelView, error) {
	address = strings.TrimSpace(address)
	if err := s.wellFormed(address); err != nil {
		return nil, err
	}
	step := act.Step{Kind: "notice.channel-set", Object: "notices", Facts: map[string]string{"mail": fmt.Sprint(address != "")}}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		dec, err := s.mayChannel(ctx, id)
		if err != nil {
			return err
		}
		ch, rev, err := s.channel(ctx, tx, id.Account)
		if err != nil {
			return err
		}
		if ch.Address.ID != "" {
			if err := tx.EraseText(ctx, ch.Address.ID); err != nil && !errors.Is(err, store.ErrErased) {
				return fmt.Errorf("notice: erase address: %w", err)
			}
		}
		*ch = Channel{Account: id.Account}
		if address != "" {
			if ch.Address, err = tx.PutText(ctx, address); err != nil {
				return fmt.Errorf("notice: address: %w", err)
			}
			step.Commit = map[string]string{"address": ch.Address.Commitment}
			if err := s.sendCode(ctx, tx, ch); err != nil {
				return err
			}
		}
		if err := tx.Put(ctx, channelKind, id.Account, rev, store.Index{Owner: id.Account}, ch); err != nil {
			return fmt.Errorf("notice: channel: %w", err)
		}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.Wake()
	return &ChannelView{Address: address}, nil
}

func (s *Service) wellFormed(address string) error {
	if address == "" {
		return nil
	}
	if s.c.Mailer == nil {
		return problem.New(problem.Conflict, "本服务未配置邮件服务器；请使用站内通知。", "This service has no mail server; use the inbox.")
	}
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address || len(address) > maxAddress || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return problem.New(problem.Invalid, "不是有效的电子邮件地址；请写成 name@example.cn 的形式。", "This is no e-mail address; write it like name@example.cn.")
	}
	return nil
}

func (s *Service) channel(ctx context.Context, tx *store.Tx, account string) (*Channel, int64, error) {
	ch := new(Channel)
	rev, err := tx.Get(ctx, channelKind, account, ch)
	if errors.Is(err, store.ErrNotFound) {
		return &Channel{Account: account}, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("notice: channel: %w", err)
	}
	return ch, rev, nil
}

// Confirm takes the code that was sent to the address. After five wrong ones the address is erased.
func (s *Service) Confirm(ctx context.Context, id auth.Identity, code string) (*ChannelView, error) {
	wrong, v := false, new(ChannelView)
	step := act.Step{Kind: "notice.channel-confirmed", Object: "notices"}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		dec, err := s.mayChannel(ctx, id)
		if err != nil {
			return err
		}
		ch, rev, err := s.channel(ctx, tx, id.Account)
		if err != nil {
			return err
		}
		if ch.Address.ID == "" {
			return problem.New(problem.Conflict, "尚未登记邮件地址；请先登记。", "There is no address to confirm; set one first.")
		}
		if ch.Confirmed {
			v, err = s.view(ctx, tx, id.Account)
			return err
		}
		wrong = !hmac.Equal([]byte(s.code(ch)), []byte(strings.TrimSpace(code)))
		if err := s.guess(ctx, tx, ch, wrong); err != nil {
			return err
		}
		if err := tx.Put(ctx, channelKind, id.Account, rev, store.Index{Owner: id.Account}, ch); err != nil {
			return fmt.Errorf("notice: channel: %w", err)
		}
		step.Facts = map[string]string{"confirmed": fmt.Sprint(ch.Confirmed)}
		if _, err = s.desk.Record(ctx, tx, id, dec, step); err != nil {
			return err
		}
		v, err = s.view(ctx, tx, id.Account)
		return err
	})
	if err == nil && wrong { // the guess is counted, whatever is said
		err = problem.New(problem.Invalid, "确认码不正确；输错五次后须重新登记地址。", "The code is wrong; after five wrong ones the address has to be set again.")
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (s *Service) guess(ctx context.Context, tx *store.Tx, ch *Channel, wrong bool) error {
	if !wrong {
		ch.Confirmed = true
		return nil
	}
	if ch.Guesses++; ch.Guesses < maxGuesses {
		return nil
	}
	if err := tx.EraseText(ctx, ch.Address.ID); err != nil {
		return fmt.Errorf("notice: erase address: %w", err)
	}
	ch.Address = store.TextRef{}
	return nil
}

// code is eight digits that only the service can make, for this address as it was set this time.
func (s *Service) code(ch *Channel) string {
	mac := hmac.New(sha256.New, s.c.Secret)
	mac.Write([]byte("carrel-notice-code-v1\n" + ch.Account + "\n" + ch.Address.Commitment))
	return fmt.Sprintf("%08d", binary.BigEndian.Uint64(mac.Sum(nil))%100_000_000)
}
