//! How far ahead lists make room, where there are so many lists, or so large ones, that the third of
//! their memory which doubling leaves unused counts.

/// Makes room for so many more, growing by an eighth.
pub(crate) fn reserve<T>(list: &mut Vec<T>, more: usize) {
    reserve_by(list, more, 4);
}

/// Makes room for so many more, growing by `step`, or an eighth if that is more.
pub(crate) fn reserve_by<T>(list: &mut Vec<T>, more: usize, step: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more.max(step).max(list.len() / 8));
    }
}

/// Gives memory back, if the list, just made shorter, has far more than it is about to need again.
pub(crate) fn trim<T>(list: &mut Vec<T>) {
    if list.capacity() > 2 * list.len() + 8 {
        list.shrink_to(list.len() + list.len() / 2 + 4);
    }
}

/// Gives a list another length, filled up with copies.
pub(crate) fn resize<T: Clone>(list: &mut Vec<T>, len: usize, filler: T) {
    reserve(list, len.saturating_sub(list.len()));
    list.resize(len, filler);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_little_more_than_it_needs_whether_it_grows_or_shrinks() {
        let mut list = Vec::new();
        for number in 0..1_000 {
            reserve(&mut list, 1);
            list.push(number);
            assert!(list.capacity() <= list.len() + list.len() / 8 + 4);
        }
        while !list.is_empty() {
            list.truncate(list.len() * 9 / 10);
            trim(&mut list);
            assert!(list.capacity() <= 2 * list.len() + 8);
        }
    }

    #[test]
    fn a_list_that_keeps_its_length_keeps_its_memory() {
        let mut list: Vec<u32> = (0..30).collect();
        reserve(&mut list, 1);
        let memory = list.capacity();
        for _ in 0..100 {
            list.drain(..10);
            trim(&mut list);
            for number in 0..10 {
                reserve(&mut list, 1);
                list.push(number);
            }
            assert_eq!(list.capacity(), memory);
        }
    }
}
