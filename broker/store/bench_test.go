package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
)

// BenchmarkAnswer measures what one answer costs the store, durably: T1 with T2 (two debits, the record, an entry, the move to started)
// and T3 (an entry, the move to recorded with 2,000 bytes). One operation is one answer.
func BenchmarkAnswer(b *testing.B) {
	for _, clients := range []int{1, 16, 32} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			s := newTestStore(b)
			benchAccounts(b, s, clients)
			var n atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			start := time.Now()
			for c := range clients {
				wg.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						if err := benchAnswer(b.Context(), s, fmt.Sprintf("grant-%d", c), fmt.Sprintf("q-%08d", i)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "answers/s")
		})
	}
}

func benchAccounts(b *testing.B, s *Store, clients int) {
	ctx := b.Context()
	err := s.Update(ctx, func(tx *Tx) error {
		for c := range clients {
			for _, id := range []string{fmt.Sprintf("grant-%d", c), fmt.Sprintf("researcher-grant-%d", c)} {
				if err := tx.LedgerPutAccount(ctx, ledger.Account{ID: id, Kind: ledger.KindGrant, Accounting: dp.ZCDP,
					Limit: ledger.Amount{Units: 1 << 60, Delta: 1 << 60}}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func benchAnswer(ctx context.Context, s *Store, grant, id string) error {
	cost := ledger.Amount{Units: 5, Delta: 1}
	list := []dp.Mechanism{{Measure: "count(*)", Kind: dp.Laplace, Sensitivity: 40, Rows: 40, Cells: 51, Epsilon: 0.1}}
	err := s.Update(ctx, func(tx *Tx) error {
		if err := tx.LedgerDebit(ctx, grant, cost); err != nil {
			return err
		}
		if err := tx.LedgerDebit(ctx, "researcher-"+grant, cost); err != nil {
			return err
		}
		p, err := appendEntry(ctx, s, tx, "query/"+id)
		if err != nil {
			return err
		}
		if err := tx.LedgerPutRecord(ctx, ledger.Record{ID: id, Grant: grant, Researcher: "researcher-" + grant, Key: "key-" + id,
			PlanHash: "plan", State: ledger.StateCharged, List: list, Cost: cost, Receipt: p.Index(), At: time.Now()}); err != nil {
			return err
		}
		return tx.LedgerMove(ctx, id, ledger.StateCharged, ledger.StateStarted, nil)
	})
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		p, err := appendEntry(ctx, s, tx, "query/"+id)
		if err != nil {
			return err
		}
		return tx.LedgerMove(ctx, id, ledger.StateStarted, ledger.StateRecorded, func(r *ledger.Record) {
			r.Result, r.Answered, r.Changed = make([]byte, 2000), p.Index(), time.Now()
		})
	})
}
