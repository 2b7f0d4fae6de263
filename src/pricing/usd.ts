const DECIMALS = 12;

/** Pico-dollars as an exact decimal string in dollars, without trailing zeros: `1250000n` is `0.00000125`. */
export function usd(pico: bigint): string {
  if (pico < 0n) return `-${usd(-pico)}`;
  const digits = pico.toString().padStart(DECIMALS + 1, '0');
  const point = digits.length - DECIMALS;
  let end = digits.length;
  while (end > point && digits.charCodeAt(end - 1) === ZERO) end--;
  const whole = digits.slice(0, point);
  return end === point ? whole : `${whole}.${digits.slice(point, end)}`;
}

const ZERO = 0x30;
