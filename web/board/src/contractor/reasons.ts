/** As the server's list, which contractors may not read; a test compares the two. */
export const HAND_BACK_REASONS = ['too_far', 'no_skill', 'no_part', 'overloaded', 'sick', 'vehicle', 'customer_out', 'other'] as const
export const DECLINE_REASONS = ['too_far', 'busy', 'no_skill', 'no_part', 'off_shift', 'other'] as const
