-- The same transfers in PostgreSQL: an idempotency key that is unique for ever, both rows locked in the order of their
-- numbers, a balance check, one row per transfer. No foreign keys, and nothing else on the hot path.
create table account (
  id bigint primary key,
  debits numeric(39) not null default 0,
  credits numeric(39) not null default 0,
  may_overdraw boolean not null default true
) with (fillfactor = 50);
create table transfer (
  id bigint generated always as identity,
  key uuid primary key,
  debit bigint not null,
  credit bigint not null,
  amount numeric(39) not null,
  refusal text,
  at timestamptz not null default clock_timestamp()
);

create function transfer(new_key uuid, from_account bigint, to_account bigint, how_much numeric) returns text language plpgsql as $$
declare
  known transfer%rowtype;
  payer account%rowtype;
  why text;
begin
  insert into transfer (key, debit, credit, amount) values (new_key, from_account, to_account, how_much) on conflict (key) do nothing;
  if not found then
    select * into known from transfer where key = new_key;
    if (known.debit, known.credit, known.amount) is distinct from (from_account, to_account, how_much) then
      return 'idempotency_key_reused';
    end if;
    return coalesce(known.refusal, 'done');
  end if;
  perform 1 from account where id = any (array[from_account, to_account]) order by id for update;
  select * into payer from account where id = from_account;
  if not payer.may_overdraw and payer.credits - payer.debits < how_much then
    why := 'exceeds_available_balance';
    update transfer set refusal = why where key = new_key;
    return why;
  end if;
  update account set debits = debits + how_much where id = from_account;
  update account set credits = credits + how_much where id = to_account;
  return 'done';
end $$;

-- A batch as a set: keys first, then each account once, in the order of numbers. The most PostgreSQL can do for a client that
-- accepts all or nothing.
create function transfer_batch(count int, accounts bigint) returns bigint language plpgsql as $$
declare
  moved bigint;
begin
  create temporary table if not exists wanted (key uuid, debit bigint, credit bigint, amount numeric(39)) on commit delete rows;
  insert into wanted
    select gen_random_uuid(), debit, 1 + (debit + (random() * (accounts - 2))::bigint) % accounts, 1 + (random() * 10000)::int
    from (select 1 + (random() * (accounts - 1))::bigint as debit from generate_series(1, count)) as drawn;
  with taken as (
    insert into transfer (key, debit, credit, amount) select key, debit, credit, amount from wanted on conflict (key) do nothing
    returning debit, credit, amount
  ), moves as (
    select id, sum(debits) as debits, sum(credits) as credits from (
      select debit as id, amount as debits, 0 as credits from taken
      union all select credit, 0, amount from taken) as both_sides group by id
  ), locked as (
    select account.id from account join moves using (id) order by account.id for update of account
  )
  update account set debits = account.debits + moves.debits, credits = account.credits + moves.credits
  from moves where account.id = moves.id and account.id in (select id from locked);
  get diagnostics moved = row_count;
  return moved;
end $$;
