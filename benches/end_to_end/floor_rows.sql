select {columns} from ledger.line order by sent_at
